"""Events that a program emitted by calling itself (`emit_cpi!`)."""

from collections.abc import Iterator

from solders.pubkey import Pubkey

from indexer import base58
from indexer.trace import Trace
from indexer.transaction import InnerInstruction

EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
"""Stands before the discriminator: EVENT_IX_TAG_LE of anchor-lang's event.rs."""


def event_authority(program_id: str) -> str:
    """Only the program can sign for it. Raises ValueError where that is no address."""
    return str(Pubkey.find_program_address([b"__event_authority"], Pubkey.from_string(program_id))[0])


def cpi_payloads(trace: Trace, program: str, authority: str, failed: list[range]) -> Iterator[tuple[int, bytes | None]]:
    """Instruction number and payload without the tag, None where it may be an event but cannot be read as one.

    `failed` are the instruction numbers of frames that failed.
    """
    for number, inner in enumerate(trace.inner):
        if inner is None or trace.programs[number] != program or _first_account(inner, trace) != authority:
            continue
        parent = trace.parent(number)
        if (parent is not None and trace.programs[parent] != program) or any(number in frame for frame in failed):
            continue
        data = _data(inner)
        if data is None or data.startswith(EVENT_TAG):
            yield number, None if data is None or parent is None else data[len(EVENT_TAG) :]


def _first_account(inner: InnerInstruction, trace: Trace) -> str:
    account = inner.accounts[0] if inner.accounts else ""
    if isinstance(account, str):
        return account
    return trace.keys[account] if 0 <= account < len(trace.keys) else ""


def _data(inner: InnerInstruction) -> bytes | None:
    try:
        return base58.decode(inner.data)
    except ValueError:
        return None
