"""Walks again over what was walked before: an index may show a signature late, or a node with more history be found."""

import structlog

from eventstore.port import IngestStore, Owed
from indexer.chain import Chain, Page
from indexer.sweep import NEXT_PAGES, end_of_whole_slots

log = structlog.get_logger()


class Resweep:
    """One pass from the tip down to `floor`, of any endpoint or of `source`.

    It queues what was not known, claims nothing, and says what an endpoint does not list though the store has it.
    """

    def __init__(
        self,
        chain: Chain,
        store: IngestStore,
        program_id: str,
        floor: int,
        cursor: str | None = None,
        *,
        source: int | None = None,
    ) -> None:
        self._chain, self._store, self._program_id = chain, store, program_id
        self._source = source
        self._head = -1
        self.floor = floor
        self.cursor = cursor
        """The last signature of a slot that was listed whole; None at the tip."""
        self.head_slot = -1
        """Of the newest signature that it saw."""
        self.slot: int | None = None
        """Down to where it has come."""
        self.listed = 0
        self.queued = 0

    async def step(self) -> bool:
        """One page; True if there is more. Raises ChainUnavailable, CursorUnknown: nothing has changed then."""
        if self.cursor is None:
            tip = await self._chain.tip(self._program_id, NEXT_PAGES, source=self._source)
            self._head, page = tip.finalized_slot, tip.page
        else:
            if self._head < 0:
                self._head = await self._chain.slot("finalized")
            page = await self._chain.older(
                self._program_id, self.cursor, NEXT_PAGES, head=self._head, source=self._source
            )
        if not page.signatures:
            return False
        new = self._store.enqueue([Owed(s.signature, s.slot, s.block_time) for s in page.signatures], head=self._head)
        known_through = self._store.progress().discovered_through
        for owed in (o for o in new if o.slot <= known_through):
            log.warning("found_late", signature=owed.signature, slot=owed.slot, endpoint=self._name(page.source))
        self._tell_what_is_not_listed(page)
        self.head_slot = max(self.head_slot, page.signatures[0].slot)
        last = page.signatures[-1]
        # A slot that fills a page is gone over again only by who began it: here its rest is left for the next pass.
        self.cursor = end_of_whole_slots(page.signatures) or last.signature
        self.slot, self.listed, self.queued = last.slot, self.listed + len(page.signatures), self.queued + len(new)
        return last.slot > self.floor

    def _tell_what_is_not_listed(self, page: Page) -> None:
        """Of whole, finalised slots within the page: the store has it settled, so the endpoint's index lacks it."""
        low, high = page.signatures[-1].slot + 1, min(page.signatures[0].slot, self._head)
        listed = {(s.signature, s.slot) for s in page.signatures}
        lacking = [one for one in self._store.settled_between(low, high) if tuple(one) not in listed]
        if lacking:
            log.warning(
                "endpoint_lacks",
                endpoint=self._name(page.source),
                transactions=len(lacking),
                signature=lacking[0].signature,
                slot=lacking[0].slot,
            )

    def _name(self, source: int) -> str:
        return self._chain.sources[source]
