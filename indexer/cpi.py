"""Events that a program emitted by calling itself (`emit_cpi!`)."""

from solders.pubkey import Pubkey

from indexer import base58
from indexer.trace import Trace

EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
"""Stands before the discriminator: EVENT_IX_TAG_LE of anchor-lang's event.rs."""


def event_authority(program_id: str) -> str:
    """Only the program can sign for it. Raises ValueError where that is no address."""
    return str(Pubkey.find_program_address([b"__event_authority"], Pubkey.from_string(program_id))[0])


def cpi_payloads(trace: Trace, program: str, authority: str, failed: set[int]) -> list[tuple[int, bytes | None]]:
    """Instruction number and payload without the tag, None where it may be an event but cannot be read as one.

    `failed` are numbers of instructions that, or whose callers, failed.
    """
    programs, keys = trace.programs, trace.keys
    found: list[tuple[int, bytes | None]] = []
    number = -1
    for _ in range(programs.count(program)):
        number = programs.index(program, number + 1)
        inner = trace.inner[number]
        if inner is None or number in failed:
            continue
        account: int | str | None = inner.accounts[0] if inner.accounts else ""
        if isinstance(account, int):
            account = keys[account] if 0 <= account < len(keys) else None
        if account is not None and account != authority:
            continue
        parent = trace.parent(number)
        if parent is not None and programs[parent] != program:
            continue
        try:
            data = base58.decode(inner.data)
        except ValueError:
            found.append((number, None))
            continue
        if data.startswith(EVENT_TAG):
            found.append((number, None if parent is None or account is None else data[len(EVENT_TAG) :]))
    return found
