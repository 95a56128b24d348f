"""What readers may ask of the read models: the only door of the API into this package."""

import time
from collections.abc import Callable
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from projections.as_of import Moment, Point, point_of, vault_as_of, vaults_as_of
from projections.balance_snapshots import BALANCE_SNAPSHOTS, PERIODS_S, Period
from projections.coverage import COVERAGE
from projections.documents import (
    BalanceSnapshotDocument,
    CoverageDocument,
    TransactionDocument,
    TvlDocument,
    VaultDocument,
)
from projections.errors import (
    GenerationGone,
    KnownLater,
    LiveGenerationLost,
    PointUnknown,
    ReadModelsReplaced,
    ReadModelsUnavailable,
)
from projections.open import check_url, open_store
from projections.projection import Projection
from projections.registry import PROJECTIONS
from projections.store import Catalog, Generation, Query, ReadModelStore, Row, Value
from projections.transactions import TRANSACTIONS
from projections.tvl_stats import LIVE, TVL_STATS
from projections.vaults import VAULTS

CATALOG_AGE_S_MAX = 0.1
"""How long after a flip a reader may still answer from the generation before."""
GAPS_MAX = 1_000
"""That are told, of a state."""
T = TypeVar("T")


class Meta(Struct, frozen=True, kw_only=True):
    """How complete an answer is."""

    slot: int | None
    """Highest slot of a fact that the projection has applied; None while there is none."""
    position: int
    """The checkpoint: facts of the store up to here are in the answer. 0 before the first."""
    generation: int
    complete_through_slot: int | None
    """Coverage that the projection has passed; what is newer is provisional. None before the first coverage."""
    updated_at: float
    """Unix seconds when the projector last said that it is alive."""
    complete_through_time: int | None = None
    """Block time of that coverage, Unix seconds."""
    degraded: tuple[str, ...] = ()
    """Vaults that stand still: an event of theirs could not be applied, and waits for an operator."""


class Tvl(Struct, frozen=True, kw_only=True):
    """What all vaults hold together, base units."""

    total_balance: int
    locked_balance: int
    vault_count: int


class Answer(NamedTuple, Generic[T]):
    data: T
    meta: Meta


class PageStart(NamedTuple):
    """Where the next page begins: after `key`, in the generation the walk began in."""

    generation: int
    key: tuple[str | int, ...]


class Page(NamedTuple, Generic[T]):
    items: list[T]
    next: PageStart | None
    """None at the end."""
    meta: Meta


class ReadModels(Protocol):
    """Raises ReadModelsUnavailable when there is nothing to read yet or the store is out of reach, and
    GenerationGone for a page start whose generation was dropped (both in projections.errors)."""

    async def vault(self, address: str) -> Answer[VaultDocument | None]: ...

    async def vault_of_owner(self, owner: str) -> Answer[VaultDocument | None]: ...

    async def vaults(self, *, start: PageStart | None, limit: int) -> Page[VaultDocument]:
        """By address, rising."""

    async def transactions(
        self, vault: str, *, start: PageStart | None, limit: int, order: Literal["asc", "desc"]
    ) -> Page[TransactionDocument]:
        """A vault's transactions in chain order, with those that a fork dropped (`status`)."""

    async def vault_as_of(self, vault: str, moment: Moment) -> Answer[TransactionDocument | None]:
        """The vault's last transaction that stood then: its balances are the vault's. None if there was none.

        Raises PointUnknown and KnownLater, as the others of a moment."""

    async def vaults_as_of(self, moment: Moment, *, start: PageStart | None, limit: int) -> Page[TransactionDocument]:
        """The same of each vault that there was then, by address, rising."""

    async def tvl_as_of(self, moment: Moment) -> Answer[Tvl]:
        """What all vaults held together then: takes two seeks for each vault."""

    async def tvl(self) -> Answer[TvlDocument | None]:
        """What all vaults hold now, covered or not; None before the first."""

    async def tvl_history(self, *, from_s: int, limit: int) -> Answer[list[TvlDocument]]:
        """Settled minutes from a moment on, rising; where there is none, nothing has changed."""

    async def snapshots(
        self, vault: str, period: Period, *, start: PageStart | None, limit: int
    ) -> Page[BalanceSnapshotDocument]:
        """Of periods that coverage has passed, newest first; where there is none, nothing has changed."""

    async def coverage(self) -> Answer[list[CoverageDocument]]:
        """What is complete, and the gaps that are not closed, lowest first."""

    async def meta(self, projection: str) -> Meta:
        """Of the live generation of one projection."""

    async def close(self) -> None: ...


def open_read_models(url: str) -> ReadModels:
    """Does not need them to exist yet. Raises ReadModelsUrlInvalid."""
    check_url(url)
    return StoreReadModels(lambda: open_store(url, create=False))


class StoreReadModels:
    """Implements ReadModels over a store that is opened when it is there."""

    def __init__(self, open_: Callable[[], ReadModelStore]) -> None:
        self._open = open_
        self._store: ReadModelStore | None = None
        self._catalog = Catalog()
        self._catalog_due_s = 0.0
        self._generations: dict[tuple[str, int], Generation] = {}

    async def vault(self, address: str) -> Answer[VaultDocument | None]:
        generation, meta = await self._live(VAULTS)
        row = (await generation.get([address])).get(address)
        return Answer(row.document if row else None, meta)

    async def vault_of_owner(self, owner: str) -> Answer[VaultDocument | None]:
        generation, meta = await self._live(VAULTS)
        rows = await generation.find(Query({"owner": owner}, ("id",), None, False, 1))
        return Answer(rows[0].document if rows else None, meta)

    async def vaults(self, *, start: PageStart | None, limit: int) -> Page[VaultDocument]:
        return await self._page(VAULTS, {}, ("id",), start, limit, descending=False)

    async def transactions(
        self, vault: str, *, start: PageStart | None, limit: int, order: Literal["asc", "desc"]
    ) -> Page[TransactionDocument]:
        fields = ("slot", "transaction_index", "ordinal", "id")
        where: dict[str, Value] = {"vault": vault, "superseded": False}
        return await self._page(TRANSACTIONS, where, fields, start, limit, descending=order == "desc")

    async def vault_as_of(self, vault: str, moment: Moment) -> Answer[TransactionDocument | None]:
        generation, meta, point = await self._then(moment)
        return Answer(await vault_as_of(generation, vault, point, moment.known_at), meta)

    async def vaults_as_of(self, moment: Moment, *, start: PageStart | None, limit: int) -> Page[TransactionDocument]:
        generation, meta, point = await self._then(moment, start)
        found: list[TransactionDocument] = []
        async for state in vaults_as_of(generation, point, moment.known_at, after=str(start.key[0]) if start else ""):
            found.append(state)
            if len(found) > limit:
                break
        following = PageStart(meta.generation, (found[limit - 1].vault,)) if len(found) > limit else None
        return Page(found[:limit], following, meta)

    async def tvl_as_of(self, moment: Moment) -> Answer[Tvl]:
        generation, meta, point = await self._then(moment)
        total, locked, count = 0, 0, 0
        async for state in vaults_as_of(generation, point, moment.known_at):
            total, locked, count = total + state.total_balance, locked + state.locked_balance, count + 1
        return Answer(Tvl(total_balance=total, locked_balance=locked, vault_count=count), meta)

    async def tvl(self) -> Answer[TvlDocument | None]:
        generation, meta = await self._live(TVL_STATS)
        row = (await generation.get([LIVE])).get(LIVE)
        return Answer(row.document if row else None, meta)

    async def tvl_history(self, *, from_s: int, limit: int) -> Answer[list[TvlDocument]]:
        generation, meta = await self._live(TVL_STATS)
        rows = await generation.find(Query({}, ("minute", "id"), (max(from_s, 0), ""), False, limit))
        return Answer([row.document for row in rows if row.document.settled], meta)

    async def snapshots(
        self, vault: str, period: Period, *, start: PageStart | None, limit: int
    ) -> Page[BalanceSnapshotDocument]:
        projection, order = BALANCE_SNAPSHOTS, ("start", "id")
        generation, meta = await (self._live(projection) if start is None else self._kept(projection, start))
        if start is None:
            ended = -1 if meta.complete_through_time is None else meta.complete_through_time - PERIODS_S[period] + 1
            start = PageStart(meta.generation, (ended, ""))
        where: dict[str, Value] = {"vault": vault, "period": period}
        rows = await generation.find(Query(where, order, start.key, True, limit + 1))
        following = PageStart(meta.generation, _key(rows[limit - 1], order)) if len(rows) > limit else None
        return Page([row.document for row in rows[:limit]], following, meta)

    async def coverage(self) -> Answer[list[CoverageDocument]]:
        generation, meta = await self._live(COVERAGE)
        found: list[CoverageDocument] = []
        for state in ("complete", "open", "accepted"):
            rows = await generation.find(Query({"state": state}, ("from_slot", "id"), None, False, GAPS_MAX))
            found += [row.document for row in rows]
        return Answer(found, meta)

    async def meta(self, projection: str) -> Meta:
        _, meta = await self._live(PROJECTIONS[projection])
        return meta

    async def _then(self, moment: Moment, start: PageStart | None = None) -> tuple[Generation, Meta, Point]:
        generation, meta = await (self._live(TRANSACTIONS) if start is None else self._kept(TRANSACTIONS, start))
        if moment.known_at is not None and moment.known_at > meta.position:
            raise KnownLater(moment.known_at, meta.position)
        point = await point_of(generation, moment)
        if point is None:
            raise PointUnknown(moment.signature or "")
        return generation, meta, point

    async def close(self) -> None:
        for generation in self._generations.values():
            await generation.close()
        self._generations.clear()
        if self._store is not None:
            await self._store.close()
            self._store = None

    async def _page(
        self,
        projection: Projection,
        where: dict[str, Value],
        order: tuple[str, ...],
        start: PageStart | None,
        limit: int,
        *,
        descending: bool,
    ) -> Page[Any]:
        generation, meta = await (self._live(projection) if start is None else self._kept(projection, start))
        after = start.key if start is not None else None
        rows = await generation.find(Query(where, order, after, descending, limit + 1))
        following = None
        if len(rows) > limit:
            rows = rows[:limit]
            following = PageStart(meta.generation, _key(rows[-1], order))
        return Page([row.document for row in rows], following, meta)

    async def _live(self, projection: Projection) -> tuple[Generation, Meta]:
        live = (await self._fresh_catalog()).live(projection.name)
        if live is None:
            raise ReadModelsUnavailable(projection.name, "there is no generation yet")
        try:
            return await self._generation(projection, live.number)
        except GenerationGone as gone:
            raise LiveGenerationLost(projection.name, live.number) from gone

    async def _kept(self, projection: Projection, start: PageStart) -> tuple[Generation, Meta]:
        """The generation that a walk began in, live or not."""
        entry = (await self._fresh_catalog()).entry(projection.name, start.generation)
        if entry is None or entry.state == "building":
            raise GenerationGone(projection.name, start.generation)
        return await self._generation(projection, start.generation)

    async def _generation(self, projection: Projection, number: int) -> tuple[Generation, Meta]:
        """The checkpoint is read before the documents: what it says is in them is in them."""
        generation = self._generations.get((projection.name, number))
        if generation is None:
            generation = await self._opened().open_generation(projection, number)
            self._generations[projection.name, number] = generation
        checkpoint = await generation.checkpoint()
        return generation, Meta(
            slot=checkpoint.slot,
            position=checkpoint.position,
            generation=number,
            complete_through_slot=checkpoint.complete_through_slot,
            updated_at=await generation.heartbeat_s(),
            complete_through_time=checkpoint.complete_through_time,
            degraded=tuple(one.vault for one in checkpoint.parked),
        )

    async def _fresh_catalog(self) -> Catalog:
        now_s = time.monotonic()
        if now_s >= self._catalog_due_s:
            try:
                self._catalog = await self._opened().catalog()
            except ReadModelsReplaced:
                await self.close()
                self._catalog = await self._opened().catalog()
            self._catalog_due_s = now_s + CATALOG_AGE_S_MAX
            await self._forget_dropped()
        return self._catalog

    async def _forget_dropped(self) -> None:
        for name, number in [key for key in self._generations if self._catalog.entry(*key) is None]:
            await self._generations.pop((name, number)).close()

    def _opened(self) -> ReadModelStore:
        if self._store is None:
            self._store = self._open()
        return self._store


def _key(row: Row, order: tuple[str, ...]) -> tuple[Value, ...]:
    return tuple(row.id if field == "id" else getattr(row.document, field) for field in order)
