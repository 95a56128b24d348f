"""Events that a program emitted by calling itself (`emit_cpi!`)."""

from solders.pubkey import Pubkey

from indexer import base58
from indexer.trace import Trace
from indexer.transaction import InnerInstruction

EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
"""Stands before the discriminator: EVENT_IX_TAG_LE of anchor-lang's event.rs."""


def event_authority(program_id: str) -> str:
    """Only the program can sign for it. Raises ValueError where that is no address."""
    return str(Pubkey.find_program_address([b"__event_authority"], Pubkey.from_string(program_id))[0])


def cpi_payloads(trace: Trace, program: str, authority: str, failed: set[int]) -> list[tuple[int, bytes | None]]:
    """Instruction number and payload without the tag, None where it may be an event but cannot be read as one.

    `failed` are numbers of instructions that, or whose callers, failed.
    """
    programs = trace.programs
    found: list[tuple[int, bytes | None]] = []
    number = -1
    for _ in range(programs.count(program)):
        number = programs.index(program, number + 1)
        inner = trace.inner[number]
        if inner is None or number in failed:
            continue
        account = _first_account(inner, trace)
        if account is not None and account != authority:
            continue
        parent = trace.parent(number)
        if parent is not None and programs[parent] != program:
            continue
        data = _data(inner)
        if data is None:
            found.append((number, None))
        elif data.startswith(EVENT_TAG):
            found.append((number, None if parent is None or account is None else data[len(EVENT_TAG) :]))
    return found


def _first_account(inner: InnerInstruction, trace: Trace) -> str | None:
    """Empty where it has none; None where it is not among the accounts given."""
    account = inner.accounts[0] if inner.accounts else ""
    if isinstance(account, str):
        return account
    return trace.keys[account] if 0 <= account < len(trace.keys) else None


def _data(inner: InnerInstruction) -> bytes | None:
    try:
        return base58.decode(inner.data)
    except ValueError:
        return None
