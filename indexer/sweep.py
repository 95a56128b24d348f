"""Finds signatures: walks the program's history from the tip down, one page at a time, each page made durable."""

from eventstore.port import IngestStore, Owed, Walk
from indexer.chain import Chain, Page
from indexer.errors import ChainUnavailable

FIRST_PAGE = 100
NEXT_PAGES = 1_000
"""getSignaturesForAddress answers with 1,000 at most."""


class Sweep:
    """Owed signatures are all that it leaves behind; it never looks into a transaction."""

    def __init__(self, chain: Chain, store: IngestStore, epoch: int, program_id: str) -> None:
        self._chain = chain
        self._store = store
        self._epoch = epoch
        self._program_id = program_id
        self.tip_slot = -1
        """Slot of the newest signature seen."""

    async def look(self) -> Walk | None:
        """The first page of a walk from the tip; what is left of it. Raises ChainUnavailable: nothing has changed then.

        The walk's head was final before it began, so that nothing can turn up below it later.
        """
        tip = await self._chain.tip(self._program_id, FIRST_PAGE)
        if tip.page.signatures:
            self.tip_slot = max(self.tip_slot, tip.page.signatures[0].slot)
        return self._record(self._store.next_walk(tip.finalized_slot), tip.page)

    async def step(self, walk: Walk) -> Walk | None:
        """The next page of a walk; what is left of it. Raises ChainUnavailable: nothing has changed then."""
        assert walk.cursor is not None, "a walk begins with look()"
        return self._record(walk, await self._chain.older(self._program_id, walk.cursor, NEXT_PAGES))

    def _record(self, walk: Walk, page: Page) -> Walk | None:
        met_floor = page.is_last or page.signatures[-1].slot <= walk.floor
        if page.is_last:
            self._check_end_of_history(walk)
        found = [Owed(s.signature, s.slot, s.block_time) for s in page.signatures]
        cursor = page.signatures[-1].signature if page.signatures else walk.cursor
        moved = self._store.record_page(self._epoch, walk, found, cursor, met_floor=met_floor)
        return None if met_floor else moved

    def _check_end_of_history(self, walk: Walk) -> None:
        """A history that ends above what is stored already is a hole in the node's, not the end."""
        stored = self._store.sample_inclusion(walk.floor)
        if stored is not None:
            reason = f"its history ends above slot {walk.floor}, but {stored.signature} of slot {stored.slot} is stored"
            raise ChainUnavailable("getSignaturesForAddress", [reason])
