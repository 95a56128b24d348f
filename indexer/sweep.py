"""Finds signatures: walks the program's history from the tip down, one page at a time, each page made durable."""

from typing import NamedTuple

import structlog

from eventstore.port import Gap, IngestStore, Owed, Walk
from indexer.beginning import Beginning
from indexer.chain import Chain, Page, SignatureInfo
from indexer.errors import BeginningUnproven, ChainUnavailable, CursorUnknown

FIRST_PAGE = 100
NEXT_PAGES = 1_000
"""getSignaturesForAddress answers with 1,000 at most."""
PATIENCE_TRIES = 10
"""So often the endpoints that are down are waited for where none of the others knows a cursor: some two minutes."""
log = structlog.get_logger()


class _WithinSlot(NamedTuple):
    """Where a walk stands that has read a part of a slot: only the endpoint that told it can go on there."""

    cursor: str
    source: int


class Sweep:
    """Owed signatures are all that it leaves behind; it never looks into a transaction.

    Endpoints may list the signatures of one slot in different orders, so a walk's durable cursor is always the last
    signature of a slot that was listed whole. The rest of a page is read again with the next one.
    """

    def __init__(self, chain: Chain, store: IngestStore, epoch: int, program_id: str) -> None:
        self._chain = chain
        self._store = store
        self._epoch = epoch
        self.program_id = program_id
        self._beginning = Beginning(chain, store, program_id)
        self._within_slot: dict[int, _WithinSlot] = {}
        """By walk, of this process."""
        self._unknown: dict[int | None, int] = {}
        """By walk: how often its cursor was unknown to those that could be asked."""
        self.tip_slot = -1
        """Slot of the newest signature seen."""
        self.finalized_slot = store.next_walk(-1).floor
        """The highest that a node was heard of."""

    async def look(self) -> Walk | None:
        """The first page of a walk from the tip; what is left of it. Raises ChainUnavailable: nothing has changed then.

        The walk's head was final before it began, so that nothing can turn up below it later.
        """
        tip = await self._chain.tip(self.program_id, FIRST_PAGE)
        self.finalized_slot = max(self.finalized_slot, tip.finalized_slot)
        if tip.page.signatures:
            self.tip_slot = max(self.tip_slot, tip.page.signatures[0].slot)
        elif self._store.progress().walks:
            return None  # one walk is enough to ask for proof
        return self._record(self._store.next_walk(tip.finalized_slot), tip.page)

    async def step(self, walk: Walk) -> Walk | None:
        """The next page of a walk; what is left of it.

        Raises ChainUnavailable, and BeginningUnproven where there are no more signatures, unless an operator has
        accepted that: nothing has changed then.
        """
        assert walk.walk_id is not None, "a walk begins with look()"
        page = await self._next_page(walk, self._within_slot.pop(walk.walk_id, None))
        self._unknown.pop(walk.walk_id, None)
        if page.signatures:
            return self._record(walk, page)
        try:
            await self._beginning.prove(walk.head, page.ends_at)
        except BeginningUnproven as unproven:
            if self.gap_of(walk, unproven).through_slot > self._accepted_through(walk):
                raise
        else:
            self._store.close_gaps(self._epoch, walk.floor + 1, "the beginning of history was proven")
        self._store.record_page(self._epoch, walk, [], walk.cursor, met_floor=True)
        return None

    def gap_of(self, walk: Walk, unproven: BeginningUnproven) -> Gap:
        """What is not listed though it may have been."""
        return Gap(walk.floor + 1, unproven.through_slot, None, str(unproven))

    def _accepted_through(self, walk: Walk) -> int:
        accepted = (g for g in self._store.gaps() if g.is_accepted and g.signature is None)
        return max((g.through_slot for g in accepted if g.from_slot == walk.floor + 1), default=-1)

    async def _next_page(self, walk: Walk, within: _WithinSlot | None) -> Page:
        try:
            if within is not None:
                return await self._older(within.cursor, walk.head, within.source)
            if walk.cursor is not None:
                return await self._older(walk.cursor, walk.head, None)
        except CursorUnknown as unknown:
            tries = self._unknown[walk.walk_id] = self._unknown.get(walk.walk_id, 0) + 1
            if unknown.unasked and tries < PATIENCE_TRIES:
                raise ChainUnavailable("getSignaturesForAddress", [str(unknown), *unknown.unasked]) from unknown
            log.warning("walk_starts_again", reason=str(unknown), floor=walk.floor)
        tip = await self._chain.tip(self.program_id, NEXT_PAGES)
        if tip.finalized_slot < walk.head:
            raise ChainUnavailable("getSlot", [f"its finalised slot {tip.finalized_slot} is below {walk.head}"])
        return tip.page

    async def _older(self, cursor: str, head: int, source: int | None) -> Page:
        return await self._chain.older(self.program_id, cursor, NEXT_PAGES, head=head, source=source)

    def _record(self, walk: Walk, page: Page) -> Walk | None:
        """An empty first page is left to the walk's next step, which asks for proof."""
        found = [Owed(s.signature, s.slot, s.block_time) for s in page.signatures]
        met_floor = bool(found) and found[-1].slot <= walk.floor
        cursor = end_of_whole_slots(page.signatures)
        moved = self._store.record_page(self._epoch, walk, found, cursor or walk.cursor, met_floor=met_floor)
        if met_floor:
            return None
        if cursor is None and found:
            assert moved.walk_id is not None, "what has not met its floor has been recorded"
            self._within_slot[moved.walk_id] = _WithinSlot(found[-1].signature, page.source)
        return moved


def end_of_whole_slots(signatures: list[SignatureInfo]) -> str | None:
    """The last signature above a page's last slot, which may go on behind the page; None if there is no other slot."""
    last_slot = signatures[-1].slot if signatures else -1
    return next((s.signature for s in reversed(signatures) if s.slot > last_slot), None)
