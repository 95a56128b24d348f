"""What a transaction executed: the message's instructions and those they called, flattened, in order of execution."""

from __future__ import annotations

from typing import cast

from msgspec import Struct

from indexer.transaction import InnerInstruction, InnerInstructions, Instruction, Message, TransactionMeta

INSTRUCTIONS_MAX = 1_024
"""The runtime allows 64: MAX_INSTRUCTION_TRACE_LENGTH."""


class Trace(Struct, gc=False):
    """Lists by flattened instruction number: depth first, from 0."""

    keys: list[str]
    """The transaction's accounts, loaded ones included."""
    programs: list[str] = []
    """Empty text where it is not among the accounts given."""
    heights: list[int] = []
    """1 for the message's instructions, 2 for what those call, …; 0 where the node does not say."""
    inner: list[InnerInstruction | None] = []
    """None for the message's instructions."""
    flaw: str | None = None
    """Why this may not be the whole of it."""

    def may_have_run(self, program: str) -> bool:
        """Though it is not among the programs that are known to have run."""
        return self.flaw is not None and (program in self.keys or "" in self.programs)

    def parent(self, number: int) -> int | None:
        """Without a stack height it is the message's instruction. None where there is no sense in the heights."""
        heights = self.heights
        above = (heights[number] or 2) - 1
        for other in range(number - 1, -1, -1):
            height = heights[other] or 2
            if height <= above:
                return other if height == above else None
        return None

    def programs_within(self, index: int) -> list[str]:
        """Of the message's instruction with that index and all that it called."""
        starts = [number for number, inner in enumerate(self.inner) if inner is None]
        if not 0 <= index < len(starts):
            return []
        return self.programs[starts[index] : [*starts, len(self.programs)][index + 1]]


def trace_of(message: Message, meta: TransactionMeta) -> Trace:
    keys = account_keys(message, meta)
    trace = Trace(keys)
    programs, heights, inner = trace.programs, trace.heights, trace.inner
    called = _called(meta.inner_instructions)
    for index, instruction in enumerate(message.instructions):
        programs.append(_program(instruction, keys))
        heights.append(1)
        inner.append(None)
        for one in called.pop(index, ()):
            programs.append(_program(one, keys))
            heights.append(one.stack_height or 0)
            inner.append(one)
    if len(programs) > INSTRUCTIONS_MAX:
        return Trace(keys, flaw=f"there are {len(programs)} instructions, more than any transaction can have")
    if called:
        trace.flaw = f"there are inner instructions of instruction {min(called)}, which the message does not have"
    elif "" in programs:
        trace.flaw = f"the program of instruction {programs.index('')} is not among the {len(keys)} accounts given"
    elif meta.inner_instructions is None:
        trace.flaw = "inner instructions are null"
    return trace


def _called(inner_sets: list[InnerInstructions] | None) -> dict[int, list[InnerInstruction]]:
    """By the index of the message's instruction."""
    called: dict[int, list[InnerInstruction]] = {}
    for one in inner_sets or ():
        called.setdefault(one.index, []).extend(one.instructions)
    return called


def _program(instruction: Instruction | InnerInstruction, keys: list[str]) -> str:
    index = instruction.program_id_index
    if index is None:
        return instruction.program_id or ""
    return keys[index] if index < len(keys) else ""


def account_keys(message: Message, meta: TransactionMeta | None) -> list[str]:
    """Loaded ones included, in the order that instructions count in."""
    keys = message.account_keys
    loaded = meta.loaded_addresses if meta is not None else None
    if not isinstance(keys[0], str):
        return [key if isinstance(key, str) else key.pubkey for key in keys]
    texts = cast(list[str], keys)  # a node gives all of one kind
    if loaded is None or not (loaded.writable or loaded.readonly):
        return texts
    return texts + loaded.writable + loaded.readonly
