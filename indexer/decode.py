"""Transactions in, what our program said in them out. Pure; never raises, whatever the transaction."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from indexer.cpi import cpi_payloads, event_authority
from indexer.errors import IndexerError
from indexer.event_types import EventTypes, Undecodable
from indexer.failure import Failed, failure_of
from indexer.idl_types import Idl
from indexer.logs import (
    DATA_LINES_MAX,
    TRUNCATED,
    Scan,
    Unaligned,
    calls_shown,
    invokes,
    payload_of,
    scan_logs,
    tell_something,
)
from indexer.trace import Trace, trace_of
from indexer.transaction import Executed, TransactionMeta

__all__ = ["Decoded", "Decoder", "EventSources", "Failed", "ProgramEvent", "ProgramIdInvalid", "Source", "Undecoded"]

EventSources = Literal["cpi", "log", "both"]
Source = Literal["log", "cpi"]


class ProgramIdInvalid(IndexerError):
    """That is no address."""

    def __init__(self, program_id: str) -> None:
        super().__init__(f"{program_id!r} is no program's address: give its 32 bytes in base58")


class ProgramEvent(Struct, frozen=True, gc=False):
    ordinal: int
    name: str
    source: Source
    fields: dict[str, object]


class Undecoded(Struct, frozen=True, gc=False):
    """The program emitted something that the IDL does not explain."""

    ordinal: int
    reason: str
    data: bytes
    """From the discriminator on; empty where it could not be read at all."""


class Decoded(Struct, frozen=True, gc=False):
    invoked: bool
    """As far as the transaction shows it."""
    events: tuple[ProgramEvent, ...] = ()
    """Rising by ordinal, as are the undecoded."""
    undecoded: tuple[Undecoded, ...] = ()
    failed: Failed | None = None
    incomplete: str | None = None
    """Why events may be missing."""


NOT_INVOKED = Decoded(invoked=False)


class Decoder:
    """For one program. Raises ProgramIdInvalid.

    `event_sources` says where its events are expected: what is missing there makes a transaction incomplete. Whatever
    is found anywhere is decoded.
    """

    def __init__(self, idl: Idl, program_id: str, *, event_sources: EventSources = "cpi") -> None:
        self.program_id = program_id
        self._errors = idl.errors
        self._types = EventTypes(idl)
        self._in_logs = event_sources != "cpi"
        try:
            self._authority = event_authority(program_id)
        except ValueError as error:
            raise ProgramIdInvalid(program_id) from error
        self.warnings = (*_address_warnings(idl, program_id), *self._types.warnings)

    def decode(self, transaction: Executed) -> Decoded:
        meta = transaction.meta
        if meta is None:
            return Decoded(invoked=False, incomplete="meta is null")
        trace = trace_of(transaction.transaction.message, meta)
        logs = meta.log_messages
        if trace.flaw is None and not (self._in_logs and self.program_id in trace.programs):
            trace.flaw = self._hidden_calls(logs, trace)
        invoked = self.program_id in trace.programs
        if not invoked:
            if not trace.may_have_run(self.program_id):
                return NOT_INVOKED
            invoked = any(invokes(line, self.program_id) for line in logs or ())
        if meta.failed:
            return self._failed(meta, trace, invoked)
        return self._succeeded(logs, trace, invoked)

    def _hidden_calls(self, logs: list[str] | None, trace: Trace) -> str | None:
        """Why it may be that the node left inner instructions out, though it did not say that it has none.

        Where we ran and events are expected in logs, these are aligned with the instructions, which shows it as well.
        """
        given = len(trace.inner) - trace.inner.count(None)
        ran = self.program_id in trace.programs
        shown = calls_shown(logs or ())
        if shown > given:
            ours = ran or self._may_be_in(logs)
            return f"logs do not fit the instructions: they show {shown} calls, {given} are given" if ours else None
        if given == 0 and ((ran and not self._whole(logs)) or (not logs and self.program_id in trace.keys)):
            return "no inner instructions are given, nor whole logs that would show that there are none"
        return None

    def _may_be_in(self, logs: list[str] | None) -> bool:
        return any(line == TRUNCATED or invokes(line, self.program_id) for line in logs or ())

    def _whole(self, logs: list[str] | None) -> bool:
        """Of a transaction in which we ran: whatever runs and succeeds is in the logs."""
        return logs is not None and TRUNCATED not in logs and any(invokes(line, self.program_id) for line in logs)

    def _failed(self, meta: TransactionMeta, trace: Trace, invoked: bool) -> Decoded:
        """Nothing of what it said happened, so nothing can be missing, unless it is unknown whether it concerns us."""
        if not invoked:
            return Decoded(invoked=False, incomplete=trace.flaw)
        return Decoded(invoked=True, failed=failure_of(meta, trace, self.program_id, self._errors))

    def _succeeded(self, logs: list[str] | None, trace: Trace, invoked: bool) -> Decoded:
        scan, log_flaw = self._scanned(logs, trace)
        flaw = trace.flaw or (log_flaw if self._in_logs else None)
        found = _Found([], [])
        numbers: set[int] = set()
        for number, payload in cpi_payloads(trace, self.program_id, self._authority, scan.failed):
            if payload is None:
                flaw = flaw or f"instruction {number} may be an event and cannot be read as one"
                continue
            numbers.add(number)
            self._read(payload, number * DATA_LINES_MAX, "cpi", found)
        for ordinal, line in scan.lines:
            # Where the instruction is an event itself, that is its line 0.
            place = ordinal + 1 if ordinal // DATA_LINES_MAX in numbers else ordinal
            self._read(payload_of(line), place, "log", found)
        if len(scan.lines) + len(numbers) > 1:
            found.events.sort(key=_by_ordinal)
            found.undecoded.sort(key=_by_ordinal)
        return Decoded(invoked, tuple(found.events), tuple(found.undecoded), None, flaw)

    def _scanned(self, logs: list[str] | None, trace: Trace) -> tuple[Scan, str | None]:
        """What the logs can be trusted with, and why that may not be all."""
        if logs is None:
            return Scan(), "logs are null"
        if trace.flaw is not None:
            return Scan(), trace.flaw
        if not (self._in_logs or 0 in trace.heights or tell_something(logs)):
            return Scan(), None
        try:
            scan = scan_logs(logs, trace, self.program_id)
        except Unaligned as unaligned:
            return Scan(), f"logs do not fit the instructions: {unaligned}"
        for number, height in scan.heights.items():
            trace.heights[number] = height
        return scan, "logs are truncated" if scan.truncated else None

    def _read(self, payload: bytes | None, ordinal: int, source: Source, found: _Found) -> None:
        if payload is None:
            found.undecoded.append(Undecoded(ordinal, "not base64", b""))
            return
        try:
            name, fields = self._types.read(payload)
        except Undecodable as undecodable:
            found.undecoded.append(Undecoded(ordinal, str(undecodable), payload))
        else:
            found.events.append(ProgramEvent(ordinal, name, source, fields))


class _Found(Struct, gc=False):
    events: list[ProgramEvent]
    undecoded: list[Undecoded]


def _by_ordinal(one: ProgramEvent | Undecoded) -> int:
    return one.ordinal


def _address_warnings(idl: Idl, program_id: str) -> list[str]:
    if idl.address in (None, program_id):
        return []
    return [f"{idl.where} is the IDL of {idl.address}, not of {program_id}"]
