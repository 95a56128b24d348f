"""What a failed transaction says of its failure, in the program's own words where it was the program's own error."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from indexer.idl_types import ProgramError
from indexer.logs import TRUNCATED, first_failed
from indexer.trace import Trace
from indexer.transaction import TransactionMeta

ANCHOR_CODES = 6_000
"""Where the errors of programs written with Anchor begin: anchor-lang's ERROR_CODE_OFFSET."""
BELOW_ANCHOR_CODES = frozenset(
    {
        "11111111111111111111111111111111",
        "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
        "ComputeBudget111111111111111111111111111111",
        "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
    }
)
"""Programs of Solana's own whose errors are all below."""


class Failed(Struct, frozen=True, gc=False):
    error: Raw
    """`meta.err` as the node gave it, JSON."""
    code: int | None
    """Of a custom error, whoever's."""
    name: str | None
    """As the IDL has it; null where the error is, or may be, another program's."""
    message: str | None


def failure_of(meta: TransactionMeta, trace: Trace, program: str, errors: dict[int, ProgramError]) -> Failed:
    error = meta.err
    index, code = _custom_error(error)
    known = errors.get(code) if code is not None else None
    if index is None or code is None or known is None or not _is_of(program, code, meta.log_messages, trace, index):
        return Failed(error, code, None, None)
    return Failed(error, code, known.name, known.message)


def _custom_error(error: Raw) -> tuple[int | None, int | None]:
    """The message's instruction that failed, and the code."""
    try:
        content = msgspec.json.decode(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    match content:
        case {"InstructionError": [int(index), {"Custom": int(code)}]} if code is not True and code is not False:
            return index, code
        case _:
            return None, None


def _is_of(program: str, code: int, logs: list[str] | None, trace: Trace, index: int) -> bool:
    """By the logs, where all of them are there; else it must be the only program that can have failed so."""
    if logs is not None and TRUNCATED not in logs:
        culprit = first_failed(logs)
        if culprit is not None:
            return culprit == program
    within = set(trace.programs_within(index))
    innocent = BELOW_ANCHOR_CODES if code >= ANCHOR_CODES else frozenset()
    return trace.flaw is None and program in within and within - innocent == {program}
