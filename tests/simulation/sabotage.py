"""Indexers and projectors that are broken on purpose, each in one way that somebody has broken one before."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

from msgspec import structs

from eventstore.errors import StoreBusy
from eventstore.identity import key_text
from eventstore.port import FactReader, Inclusion, IngestStore, Owed, Walk
from eventstore.sqlite_store import SQLiteEventStore
from indexer.chain import Page, RpcChain, SlotContent
from indexer.errors import ChainUnavailable, CursorUnknown
from indexer.fetch import Absent, Fetched, Fetcher, Missed, Result
from indexer.ingest import Ingest
from indexer.settlement import Settlement
from indexer.sweep import Sweep
from indexer.transaction import parse_transaction
from projections.projection import Projection
from projections.projector import Projector
from projections.store import Checkpoint, GenerationEntry, Row
from tests.simulation.projecting import MortalGeneration, ProjectingParts
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
        tip = await self._chain.tip(self.program_id, 1_000)
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
        with suppress(StoreBusy):
            for walk in store.progress().walks:
                store.record_page(epoch, walk, [], walk.cursor, met_floor=True)
        super().__init__(chain, store, epoch, *rest)


class SettlesBeforeItStores(Ingest):
    """Crosses off what it fetched, and stores it then."""

    def _append(self, results: list[Result]) -> None:
        fetched = [Inclusion(r.evidence.signature, r.evidence.slot) for r in results if isinstance(r, Fetched)]
        if fetched:
            self._store.append([], no_longer_owed=fetched, epoch=self._epoch)
        super()._append(results)


class GivesUp(Ingest):
    """Crosses off what it could not fetch."""

    def _postpone(self, missed: Missed) -> None:
        inclusion = Inclusion(missed.owed.signature, missed.owed.slot)
        self._store.append([], no_longer_owed=[inclusion], epoch=self._epoch)


class NeverLooksAgain(Ingest):
    """Takes what was walked once for known."""

    async def _look_again(self) -> None:
        self._resweep_due_s = float("inf")


class BelievesOneEndpoint(Ingest):
    """Looks again, and always at the same endpoint."""

    async def _look_again(self) -> None:
        self._resweeps = 0
        await super()._look_again()


class TakesNullForDone(Fetcher):
    """Takes a transaction that the node does not have for one that there is not."""

    async def round(self, owed: Sequence[Owed], finalized_slot: int) -> list[Result]:
        return [_done(r, "does not have it") for r in await super().round(owed, finalized_slot)]


class TakesWhatThereIs(Fetcher):
    """Calls a transaction done of which a part is missing."""

    async def round(self, owed: Sequence[Owed], finalized_slot: int) -> list[Result]:
        return [_done(r, "inner", "meta") for r in await super().round(owed, finalized_slot)]


def _done(result: Result, *reasons: str) -> Result:
    is_one = isinstance(result, Missed) and any(reason in result.reason for reason in reasons)
    return Absent(result.owed) if is_one and isinstance(result, Missed) else result


class GuessesThePlace(Fetcher):
    """Takes the first place in the block where the node does not tell it."""

    async def _find(self, owed: Owed, blocks: Any, *, is_final: bool) -> Fetched | Missed:
        fetched = await self._chain.transaction(owed.signature, final=is_final)
        if fetched is not None:
            transaction = parse_transaction(fetched.body)
            if transaction.transaction_index is None:
                return self._decode(owed, fetched, transaction, 0, is_final=is_final)
        return await super()._find(owed, blocks, is_final=is_final)


class TakesConfirmedForFinal(Fetcher):
    """Never looks again at what a node had once."""

    def _decode(self, *args: Any, **options: Any) -> Fetched | Missed:
        result = super()._decode(*args, **options)
        if isinstance(result, Missed):
            return result
        return result._replace(evidence=result.evidence._replace(is_final=True))


class RevertsByAbsence(Settlement):
    """Takes a signature that a node does not know for one that the chain does not have."""

    async def _contents(self, suspects: Iterable[Inclusion]) -> AsyncIterator[tuple[Inclusion, SlotContent]]:
        for inclusion in suspects:
            yield inclusion, SlotContent(None, frozenset())


class NeverReverts(Settlement):
    """Takes everything for final that is old enough."""

    async def _contents(self, suspects: Iterable[Inclusion]) -> AsyncIterator[tuple[Inclusion, SlotContent]]:
        for inclusion in suspects:
            yield inclusion, SlotContent(None, frozenset([inclusion.signature]))


class TakesALostBlockForASkippedSlot(RpcChain):
    """Believes a node that says so."""

    async def _was_skipped(self, slot: int, *, at: int) -> bool:
        return True


class RemembersInMemory(SQLiteEventStore):
    """Keeps what it owes only as long as it lives."""

    def acquire_lease(self, holder: str) -> int:
        epoch = super().acquire_lease(holder)
        owed = self.owed(1_000_000)
        if owed:
            self.append([], no_longer_owed=[Inclusion(o.signature, o.slot) for o in owed], epoch=epoch)
        return epoch


class FollowsFromNowOn(Projector):
    """Takes what is in the store when it starts for known."""

    async def _open(self, entry: GenerationEntry) -> None:
        await super()._open(entry)
        last = self._facts.last_position()
        key = self._facts.key_at(last)
        new = structs.replace(self._checkpoint, position=last, key=key_text(key) if key else None)
        await self._generation.apply([], self._checkpoint, new)
        self._checkpoint = new


class MovesTheCheckpointFirst(MortalGeneration):
    """And writes what it stands for then."""

    async def write(self, rows: Sequence[Row], held: Checkpoint, new: Checkpoint) -> None:
        await self.real.apply([], held, new)
        await asyncio.sleep(1.0)
        await self.real.apply(rows, new, new)


class KnowsNoForks(Projector):
    """Takes what was said once for what stands."""

    def __init__(self, projection: Projection, facts: FactReader, *rest: Any) -> None:
        super().__init__(projection, cast(FactReader, _NothingContested(facts)), *rest)


class _NothingContested:
    def __init__(self, facts: FactReader) -> None:
        self._facts = facts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._facts, name)

    def contested_between(self, after: int, through: int) -> list[str]:
        return []


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
    **{
        kind.__name__: Parts(ingest=kind)
        for kind in (ForgetsWalks, SettlesBeforeItStores, GivesUp, NeverLooksAgain, BelievesOneEndpoint)
    },
    **{
        kind.__name__: Parts(fetcher=kind)
        for kind in (
            TakesNullForDone,
            TakesWhatThereIs,
            GuessesThePlace,
            TakesConfirmedForFinal,
        )
    },
    **{kind.__name__: Parts(settlement=kind) for kind in (RevertsByAbsence, NeverReverts)},
    "FollowsFromNowOn": Parts(projecting=ProjectingParts(projector=FollowsFromNowOn)),
    "MovesTheCheckpointFirst": Parts(projecting=ProjectingParts(generation=MovesTheCheckpointFirst)),
    "KnowsNoForks": Parts(projecting=ProjectingParts(projector=KnowsNoForks)),
    "RemembersInMemory": Parts(store=RemembersInMemory),
    "TakesALostBlockForASkippedSlot": Parts(chain=TakesALostBlockForASkippedSlot),
}
