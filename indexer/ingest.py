"""The indexer's loop: look for signatures, fetch what is owed, append it, say how complete the store is."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from eventstore.backoff import delay_s
from eventstore.errors import StoreBusy, StoreUnreachable
from eventstore.facts import AuthorityInitialized, EventUndecoded, Fact
from eventstore.port import Gap, Inclusion, IngestStore, Owed, Walk
from indexer.chain import Chain
from indexer.coverage import advance_coverage
from indexer.errors import BeginningUnproven, ChainUnavailable, CursorUnknown, RpcRefused
from indexer.fetch import Absent, Fetched, Fetcher, Missed, Result
from indexer.hint import Hint
from indexer.resweep import Resweep
from indexer.retries import Retries
from indexer.settlement import Settlement
from indexer.sweep import Sweep

ROUND = 256
"""Transactions fetched before they are appended together."""
CATCH_UP_DELAY_S = 0.05
"""Before looking again for a hinted slot that the node does not list yet."""
LOUD_TRIES = 5
"""From so many tries on, a signature that stays owed is worth a warning."""
GAP_TRIES = 20
"""Some six minutes."""
log = structlog.get_logger()


OVERLAP_SLOTS = 4_500
"""How far below discovered-through is looked again: half an hour."""


class Pace(NamedTuple):
    poll_interval_s: float
    coverage_interval_s: float
    resweep_interval_s: float = 600.0


class Ingest:
    """One turn does a little of everything, so that a long backlog holds up neither the tip nor the statement."""

    def __init__(
        self,
        chain: Chain,
        store: IngestStore,
        epoch: int,
        sweep: Sweep,
        fetcher: Fetcher,
        settlement: Settlement,
        hint: Hint,
        pace: Pace,
    ) -> None:
        self._chain, self._store, self._epoch = chain, store, epoch
        self._sweep, self._fetcher, self._settlement = sweep, fetcher, settlement
        self._hint, self._pace = hint, pace
        self._resweeps = 0
        progress = store.progress()
        self._coverage = progress.coverage
        self._walks: list[Walk] = list(reversed(progress.walks))
        self._walk_retries: Retries[int | None] = Retries(_now_s)
        self._retries: Retries[Inclusion] = Retries(_now_s)
        self._poll_due_s = 0.0
        self._coverage_due_s = 0.0
        self._resweep: Resweep | None = None
        self._resweep_due_s = _now_s() + pace.resweep_interval_s

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises EventStoreError; what may pass (no node, no store) is waited for."""
        failures = 0
        while not stop.is_set():
            try:
                busy = await self._turn()
            except (ChainUnavailable, RpcRefused, StoreBusy, StoreUnreachable) as error:
                wait_s = max(delay_s(failures), getattr(error, "retry_after_s", 0.0))
                failures += 1
                log.warning("waiting", reason=str(error), retry_s=wait_s)
                await _wait(stop, wait_s)
                continue
            failures = 0
            if not busy:
                await self._rest(stop)

    async def _turn(self) -> bool:
        """True while there is more to do at once."""
        if self._hint.wake.is_set() or _now_s() >= self._poll_due_s:
            await self._look_at_tip()
        elif self._may_walk():
            await self._walk_on()
        owed = self._due()
        if owed:
            self._append(await self._fetcher.round(owed, self._sweep.finalized_slot))
        if _now_s() >= self._coverage_due_s:
            await self._advance_coverage()
        if _now_s() >= self._resweep_due_s:
            await self._look_again()
        return self._may_walk() or bool(self._due()) or self._hint.wake.is_set()

    async def _look_at_tip(self) -> None:
        self._hint.wake.clear()
        self._poll_due_s = _now_s() + self._pace.poll_interval_s
        rest = await self._sweep.look()
        self._walks += [rest] if rest else []
        if self._sweep.tip_slot < self._hint.slot and self._hint.age_s() < self._pace.poll_interval_s:
            self._poll_due_s = _now_s() + CATCH_UP_DELAY_S

    def _may_walk(self) -> bool:
        return bool(self._walks) and self._walk_retries.is_due(self._walks[-1].walk_id)

    async def _walk_on(self) -> None:
        """A walk that cannot go on now holds up neither the tip nor what is owed."""
        walk = self._walks[-1]
        try:
            rest = await self._sweep.step(walk)
        except (ChainUnavailable, RpcRefused, BeginningUnproven) as error:
            tries = self._walk_retries.postpone(walk.walk_id, getattr(error, "retry_after_s", 0.0))
            level = log.info if tries < LOUD_TRIES else log.warning
            level("walk_waits", reason=str(error), tries=tries)
            if tries >= GAP_TRIES and isinstance(error, BeginningUnproven):
                self._find_gap(self._sweep.gap_of(walk, error))
            return
        if rest is None or rest.cursor != walk.cursor:  # a step within a slot may be one that was taken before
            self._walk_retries.forget([walk.walk_id])
        self._walks[-1:] = [rest] if rest else []

    def _due(self) -> list[Owed]:
        owed = self._store.owed(ROUND + len(self._retries))
        return [o for o in owed if self._retries.is_due(Inclusion(o.signature, o.slot))][:ROUND]

    def _append(self, results: list[Result]) -> None:
        for missed in (r for r in results if isinstance(r, Missed)):
            self._postpone(missed)
        fetched = [r for r in results if isinstance(r, Fetched)]
        absent = [Inclusion(r.owed.signature, r.owed.slot) for r in results if isinstance(r, Absent)]
        if not fetched and not absent:
            return
        fetched.sort(key=lambda f: (f.evidence.slot, f.evidence.transaction_index))
        evidence = [f.evidence for f in fetched]
        facts = [fact for f in fetched for fact in f.facts]
        no_longer_owed = [*absent, *(Inclusion(e.signature, e.slot) for e in evidence)]
        appended = self._store.append(facts, evidence, no_longer_owed=no_longer_owed, epoch=self._epoch)
        self._retries.forget(no_longer_owed)
        for inclusion in absent:
            log.info("dropped", signature=inclusion.signature, slot=inclusion.slot)
        log.info("appended", transactions=len(fetched), facts=appended.stored, position=appended.last_position)
        self._retry_walks(no_longer_owed, facts)
        for late in (f.evidence for f in fetched if f.evidence.slot <= self._coverage):
            log.error("late_below_coverage", signature=late.signature, slot=late.slot, covered=self._coverage)
        for undecoded in (fact for fact in facts if isinstance(fact, EventUndecoded)):
            log.error("event_undecoded", signature=undecoded.signature, slot=undecoded.slot, reason=undecoded.reason)
        if appended.conflicts:
            log.error("content_conflict", conflicts=appended.conflicts, position=appended.last_position)

    def _retry_walks(self, no_longer_owed: Sequence[Inclusion], facts: Sequence[Fact]) -> None:
        """Those that may have waited for just this to prove that history begins where they came to."""
        lowest = (
            -1
            if any(isinstance(fact, AuthorityInitialized) for fact in facts)
            else min(one.slot for one in no_longer_owed)
        )
        self._walk_retries.forget(walk.walk_id for walk in self._walks if lowest <= walk.head)

    def _postpone(self, missed: Missed) -> None:
        signature, slot = missed.owed.signature, missed.owed.slot
        tries = self._retries.postpone(Inclusion(signature, slot), missed.retry_after_s)
        level = log.info if tries < LOUD_TRIES else log.warning
        level("owed", signature=signature, slot=slot, reason=missed.reason, tries=tries)
        if tries == GAP_TRIES:
            self._find_gap(Gap(slot, slot, signature, missed.reason))

    def _find_gap(self, gap: Gap) -> None:
        if self._store.find_gaps(self._epoch, [gap]).stored:
            log.error("gap_found", **gap._asdict())

    async def _advance_coverage(self) -> None:
        """A statement that cannot be made now holds up nothing: it is made at the next interval."""
        self._coverage_due_s = _now_s() + self._pace.coverage_interval_s
        try:
            if await self._settlement.step():
                self._coverage_due_s = _now_s()
            slot = await advance_coverage(self._chain, self._store, self._epoch)
        except (ChainUnavailable, RpcRefused) as error:
            log.warning("coverage_waits", reason=str(error))
            return
        if slot is not None:
            self._coverage = slot
            log.info("covered", slot=slot)

    async def _look_again(self) -> None:
        """A page of what was walked lately, of each endpoint in its turn: so they are checked against each other.

        A pass that cannot go on is given up for the next one.
        """
        if self._resweep is None:
            floor = self._store.progress().discovered_through - OVERLAP_SLOTS
            source = self._resweeps % len(self._chain.sources)
            self._resweep = Resweep(self._chain, self._store, self._sweep.program_id, floor, source=source)
            self._resweeps += 1
        try:
            if await self._resweep.step():
                return
        except (ChainUnavailable, RpcRefused, CursorUnknown) as error:
            log.info("resweep_given_up", reason=str(error))
        self._resweep, self._resweep_due_s = None, _now_s() + self._pace.resweep_interval_s

    async def _rest(self, stop: asyncio.Event) -> None:
        walk_due_s = [self._walk_retries.due_s(walk.walk_id) for walk in self._walks[-1:]]
        owed_due_s = self._retries.next_due_s()
        due_s = min(
            [
                self._poll_due_s,
                self._coverage_due_s,
                self._resweep_due_s,
                *walk_due_s,
                *([owed_due_s] if owed_due_s else []),
            ]
        )
        await _wait(stop, due_s - _now_s(), self._hint.wake)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _wait(stop: asyncio.Event, delay_s: float, wake: asyncio.Event | None = None) -> None:
    """Until one of the events is set, at most `delay_s`."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, wake) if event is not None]
    try:
        await asyncio.wait(waits, timeout=max(delay_s, 0.0), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
