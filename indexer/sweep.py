"""Finds signatures: walks the program's history from the tip down, one page at a time, each page made durable."""

from eventstore.port import IngestStore, Owed, Walk
from indexer.chain import Chain
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

    async def begin(self) -> Walk:
        """A walk from the tip. Its head is finalised before the walk begins, so nothing can turn up below it."""
        return self._store.next_walk(await self._chain.slot("finalized"))

    async def step(self, walk: Walk) -> Walk | None:
        """Reads one page; None when the walk is over. Raises ChainUnavailable and has then changed nothing."""
        limit = FIRST_PAGE if walk.cursor is None else NEXT_PAGES
        page = await self._chain.signatures(
            self._program_id, before=walk.cursor, limit=limit, min_slot=max(walk.head, 0)
        )
        if page.signatures:
            self.tip_slot = max(self.tip_slot, page.signatures[0].slot)
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

