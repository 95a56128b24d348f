"""Indexers that are broken on purpose, each in one way that somebody has broken one before."""

from typing import Any

from eventstore.port import Evidence, Inclusion, IngestStore, Owed, Walk
from eventstore.sqlite_store import SQLiteEventStore
from indexer.chain import Page
from indexer.errors import ChainUnavailable, CursorUnknown
from indexer.fetch import Fetched, Fetcher, Missed
from indexer.ingest import Ingest
from indexer.sweep import Sweep
from indexer.transaction import parse_transaction
from tests.simulation.world import Parts


class BelievesAnEmptyPage(Sweep):
    """Takes the end of a list for the beginning of history."""

    async def step(self, walk: Walk) -> Walk | None:
        assert walk.walk_id is not None
        page = await self._next_page(walk, self._within_slot.pop(walk.walk_id, None))
        if page.signatures:
            return self._record(walk, page)
        self._store.record_page(self._epoch, walk, [], walk.cursor, met_floor=True)
        return None


class GoesOnWithinASlot(Sweep):
    """Takes the last signature of a page for a cursor that every endpoint understands alike."""

    def _record(self, walk: Walk, page: Page) -> Walk | None:
        found = [Owed(s.signature, s.slot, s.block_time) for s in page.signatures]
        met_floor = bool(found) and found[-1].slot <= walk.floor
        cursor = found[-1].signature if found else walk.cursor
        moved = self._store.record_page(self._epoch, walk, found, cursor, met_floor=met_floor)
        return None if met_floor else moved


class KnowsNoCursorsAndGoesOn(Sweep):
    """Takes a cursor that is not known for one that nothing comes after."""

    async def step(self, walk: Walk) -> Walk | None:
        try:
            return await super().step(walk)
        except (ChainUnavailable, CursorUnknown):
            self._store.record_page(self._epoch, walk, [], walk.cursor, met_floor=True)
            return None


class ClaimsUpToTheTip(Sweep):
    """Takes the newest slot for final."""

    async def look(self) -> Walk | None:
        tip = await self._chain.tip(self._program_id, 1_000)
        if not tip.page.signatures:
            return await super().look()
        return self._record(self._store.next_walk(max(tip.finalized_slot, tip.page.signatures[0].slot)), tip.page)


class ReadsOnlyTheFirstPage(Sweep):
    """Polls for what is new, and forgets what did not fit on the page."""

    async def look(self) -> Walk | None:
        walk = await super().look()
        if walk is not None and walk.floor >= 0:
            self._store.record_page(self._epoch, walk, [], walk.cursor, met_floor=True)
            return None
        return walk


class ForgetsWalks(Ingest):
    """Leaves what another process had begun to walk."""

    def __init__(self, chain: Any, store: IngestStore, epoch: int, *rest: Any) -> None:
        for walk in store.progress().walks:
            store.record_page(epoch, walk, [], walk.cursor, met_floor=True)
        super().__init__(chain, store, epoch, *rest)


class SettlesBeforeItStores(Ingest):
    """Crosses off what it fetched, and stores it then."""

    def _append(self, results: list[Fetched | Missed]) -> None:
        settles = [inclusion for r in results if isinstance(r, Fetched) for inclusion in r.settles]
        if settles:
            self._store.append([], settles=settles, epoch=self._epoch)
        super()._append(results)


class GivesUp(Ingest):
    """Crosses off what it could not fetch in two tries."""

    def _append(self, results: list[Fetched | Missed]) -> None:
        super()._append(results)
        for inclusion, postponed in list(self._postponed.items()):
            if postponed.tries >= 2:
                self._store.append([], settles=[inclusion], epoch=self._epoch)
                del self._postponed[inclusion]


class TakesNullForDone(Fetcher):
    """Takes a transaction that the node does not have for one that there is not."""

    async def _fetch(self, owed: Owed, blocks: Any) -> Fetched | Missed:
        result = await super()._fetch(owed, blocks)
        if isinstance(result, Missed) and "does not have it" in result.reason:
            nothing = Evidence(owed.signature, owed.slot, 0, owed.block_time, b"null", "node")
            return Fetched(nothing, [], (Inclusion(owed.signature, owed.slot),))
        return result


class TakesWhatThereIs(Fetcher):
    """Calls a transaction done of which a part is missing."""

    async def _fetch(self, owed: Owed, blocks: Any) -> Fetched | Missed:
        result = await super()._fetch(owed, blocks)
        if isinstance(result, Missed) and ("inner" in result.reason or "meta" in result.reason):
            nothing = Evidence(owed.signature, owed.slot, 0, owed.block_time, b"null", "node")
            return Fetched(nothing, [], (Inclusion(owed.signature, owed.slot),))
        return result


class GuessesThePlace(Fetcher):
    """Takes the first place in the block where the node does not tell it."""

    async def _fetch(self, owed: Owed, blocks: Any) -> Fetched | Missed:
        fetched = await self._chain.transaction(owed.signature)
        if fetched is not None:
            transaction = parse_transaction(fetched.body)
            if transaction.transaction_index is None:
                return self._decode(owed, fetched, transaction, 0)
        return await super()._fetch(owed, blocks)


class RemembersInMemory(SQLiteEventStore):
    """Keeps what it owes only as long as it lives."""

    def acquire_lease(self, holder: str) -> int:
        epoch = super().acquire_lease(holder)
        owed = self.owed(1_000_000)
        if owed:
            self.append([], settles=[Inclusion(o.signature, o.slot) for o in owed], epoch=epoch)
        return epoch


SABOTAGES: dict[str, Parts] = {
    **{
        kind.__name__: Parts(sweep=kind)
        for kind in (
            BelievesAnEmptyPage,
            GoesOnWithinASlot,
            KnowsNoCursorsAndGoesOn,
            ClaimsUpToTheTip,
            ReadsOnlyTheFirstPage,
        )
    },
    **{kind.__name__: Parts(ingest=kind) for kind in (ForgetsWalks, SettlesBeforeItStores, GivesUp)},
    **{kind.__name__: Parts(fetcher=kind) for kind in (TakesNullForDone, TakesWhatThereIs, GuessesThePlace)},
    "RemembersInMemory": Parts(store=RemembersInMemory),
}
