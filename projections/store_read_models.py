"""The read models over a store that is opened when it is there: each read is a few seeks in one generation."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import structs

from projections import lists
from projections.answers import Answer, Gap, GenerationState, Meta, Page, PageStart, ProjectionState, Tvl
from projections.as_of import LAST, Moment, Point, point_of, vault_as_of, vaults_as_of
from projections.balance_snapshots import BALANCE_SNAPSHOTS, PERIODS_S, Period
from projections.coverage import COVERAGE
from projections.documents import (
    BalanceSnapshotDocument,
    CoverageDocument,
    TransactionDocument,
    TvlDocument,
    VaultDocument,
)
from projections.errors import BeyondCoverage, KnownLater, PointUnknown
from projections.lists import EVERYTHING, Order, Wanted
from projections.projection import Projection
from projections.reading import Open, OpenGenerations
from projections.registry import PROJECTIONS
from projections.store import Generation, Query, ReadModelStore, Row, Value
from projections.transactions import TRANSACTIONS
from projections.tvl_stats import LIVE, TVL_STATS
from projections.vaults import VAULTS

GAPS_MAX = 1_000
"""That are told, of a state."""
LEGS_MAX = 1_000
"""Of a transaction; one has no more than 64 instructions, with two legs each, in each decode of each inclusion."""
TOGETHER = 50
"""Vaults of which the state is sought before others have their turn."""


class StoreReadModels:
    """Implements ReadModels over a store that is opened when it is there."""

    def __init__(self, open_: Callable[[], ReadModelStore]) -> None:
        self._open = OpenGenerations(open_)
        self._gaps: _Gaps | None = None

    async def vault(self, address: str) -> Answer[VaultDocument | None]:
        generation, meta = await self._live(VAULTS)
        row = (await generation.get([address])).get(address)
        return Answer(row.document if row else None, meta)

    async def vault_of_owner(self, owner: str) -> Answer[VaultDocument | None]:
        generation, meta = await self._live(VAULTS)
        rows = await generation.find(Query({"owner": owner}, ("id",), None, False, 1))
        return Answer(rows[0].document if rows else None, meta)

    async def vaults(self, *, start: PageStart | None, limit: int, order: Order = "asc") -> Page[VaultDocument]:
        generation, meta = await self._begun(VAULTS, start)
        after = start.key if start is not None else None
        rows = await generation.find(Query({}, ("id",), after, order == "desc", limit + 1))
        return _page(rows, ("id",), limit, meta)

    async def transactions(
        self,
        vault: str | None,
        *,
        start: PageStart | None,
        limit: int,
        order: Order,
        wanted: Wanted = EVERYTHING,
    ) -> Page[TransactionDocument]:
        generation, meta = await self._begun(TRANSACTIONS, start)
        after: Any = start.key if start is not None else None
        covered = meta.complete_through_slot
        found = await lists.find(generation, vault, after, limit, wanted, covered, descending=order == "desc")
        return Page(found.documents, found.next and PageStart(meta.generation, found.next), meta)

    async def transactions_of(self, signature: str) -> Answer[list[TransactionDocument]]:
        generation, meta = await self._live(TRANSACTIONS)
        return Answer(await lists.of_signature(generation, signature, LEGS_MAX), meta)

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
            await _let_others_run(len(found))
        following = PageStart(meta.generation, (found[limit - 1].vault,)) if len(found) > limit else None
        return Page(found[:limit], following, meta)

    async def tvl_as_of(self, moment: Moment) -> Answer[Tvl]:
        generation, meta, point = await self._then(moment)
        total, locked, count = 0, 0, 0
        async for state in vaults_as_of(generation, point, moment.known_at):
            total, locked, count = total + state.total_balance, locked + state.locked_balance, count + 1
            await _let_others_run(count)
        return Answer(Tvl(total_balance=total, locked_balance=locked, vault_count=count), meta)

    async def tvl(self) -> Answer[TvlDocument | None]:
        generation, meta = await self._live(TVL_STATS)
        row = (await generation.get([LIVE])).get(LIVE)
        return Answer(row.document if row else None, meta)

    async def tvl_history(
        self, *, start: PageStart | None, limit: int, order: Order, from_s: int = 0, through_s: int | None = None
    ) -> Page[TvlDocument]:
        fields = ("minute", "id")
        generation, meta = await self._begun(TVL_STATS, start)
        last_s = LAST if through_s is None else through_s
        after = _first(start, (from_s, ""), (last_s, "~"), order)
        rows = await generation.find(Query({}, fields, after, order == "desc", limit + 1))
        page = _page([row for row in rows if from_s <= row.document.minute <= last_s], fields, limit, meta)
        return page._replace(items=[minute for minute in page.items if minute.settled])

    async def snapshots(
        self,
        vault: str,
        period: Period,
        *,
        start: PageStart | None,
        limit: int,
        order: Order = "desc",
        from_s: int = 0,
        through_s: int | None = None,
    ) -> Page[BalanceSnapshotDocument]:
        fields = ("start", "id")
        generation, meta = await self._begun(BALANCE_SNAPSHOTS, start)
        ended_s = -1 if meta.complete_through_time is None else meta.complete_through_time - PERIODS_S[period]
        last_s = ended_s if through_s is None else min(through_s, ended_s)
        where: dict[str, Value] = {"vault": vault, "period": period}
        after = _first(start, (from_s, ""), (last_s + 1, ""), order)
        rows = await generation.find(Query(where, fields, after, order == "desc", limit + 1))
        return _page([row for row in rows if from_s <= row.document.start <= last_s], fields, limit, meta)

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

    async def states(self) -> list[ProjectionState]:
        catalog, states = await self._open.catalog(), []
        for name in PROJECTIONS:
            entries = catalog.of(name)
            states.append(
                ProjectionState(
                    name=name,
                    generations=tuple(
                        GenerationState(number=one.number, state=one.state, since_s=one.since_s) for one in entries
                    ),
                    paused=catalog.control(name).paused is not None,
                    meta=await self.meta(name) if catalog.live(name) else None,
                )
            )
        return states

    async def close(self) -> None:
        await self._open.close()

    async def _then(self, moment: Moment, start: PageStart | None = None) -> tuple[Generation, Meta, Point]:
        generation, meta = await self._begun(TRANSACTIONS, start)
        if moment.known_at is not None and moment.known_at > meta.position:
            raise KnownLater(moment.known_at, meta.position)
        point = await point_of(generation, moment)
        if point is None:
            raise PointUnknown(moment.signature or "")
        _refuse_beyond_coverage(moment, point, meta)
        gaps = tuple(gap for gap in meta.accepted_gaps if (gap.from_slot, 0) < (point.slot, point.transaction_index))
        return generation, structs.replace(meta, accepted_gaps=gaps), point

    async def _live(self, projection: Projection) -> tuple[Generation, Meta]:
        return await self._with_meta(await self._open.live(projection))

    async def _begun(self, projection: Projection, start: PageStart | None) -> tuple[Generation, Meta]:
        """The live generation, or the one that a walk began in."""
        if start is None:
            return await self._live(projection)
        return await self._with_meta(await self._open.kept(projection, start.generation))

    async def _with_meta(self, opened: Open) -> tuple[Generation, Meta]:
        generation, number, checkpoint = opened
        coverage = await self._coverage_seen()
        through = _lower(checkpoint.complete_through_slot, coverage.through_slot)
        return generation, Meta(
            slot=checkpoint.slot,
            position=checkpoint.position,
            generation=number,
            complete_through_slot=through,
            updated_at=await generation.heartbeat_s(),
            complete_through_time=_lower(checkpoint.complete_through_time, coverage.through_time),
            degraded=tuple(one.vault for one in checkpoint.parked),
            accepted_gaps=coverage.gaps_of(checkpoint.position, through),
        )

    async def _coverage_seen(self) -> "_Gaps":
        """Without a generation of `coverage`, nothing is known to be complete."""
        if (await self._open.catalog()).live(COVERAGE.name) is None:
            return NOTHING_COVERED
        generation, number, checkpoint = await self._open.live(COVERAGE)
        seen = self._gaps
        if seen is None or (seen.generation, seen.position) != (number, checkpoint.position):
            seen = self._gaps = _Gaps(
                generation=number,
                position=checkpoint.position,
                through_slot=checkpoint.complete_through_slot,
                through_time=checkpoint.complete_through_time,
                accepted=await _gaps(generation, "accepted"),
                closed=await _gaps(generation, "closed"),
            )
        return seen


class _Gaps(NamedTuple):
    """What `coverage` says, at its position."""

    generation: int
    position: int
    through_slot: int | None
    through_time: int | None
    accepted: tuple[tuple[Gap, int], ...]
    """With the position at which it was said, as those that are closed."""
    closed: tuple[tuple[Gap, int], ...]

    def gaps_of(self, position: int, through_slot: int | None) -> tuple[Gap, ...]:
        """Below coverage: those accepted, and those that were closed by what a projection there has not seen yet."""
        if through_slot is None:
            return ()
        gaps = [gap for gap, _ in self.accepted] + [gap for gap, closed_at in self.closed if closed_at > position]
        return tuple(sorted(gap for gap in gaps if gap.from_slot <= through_slot))


NOTHING_COVERED = _Gaps(0, 0, None, None, (), ())


async def _gaps(generation: Generation, state: str) -> tuple[tuple[Gap, int], ...]:
    rows = await generation.find(Query({"state": state}, ("from_slot", "id"), None, True, GAPS_MAX))
    return tuple((Gap(row.document.from_slot, row.document.through_slot), row.position) for row in rows)


def _refuse_beyond_coverage(moment: Moment, point: Point, meta: Meta) -> None:
    """A second is complete when coverage has passed it: more may happen in the one that coverage is in."""
    slot, time_s = meta.complete_through_slot, meta.complete_through_time
    asked = None
    if moment.slot is not None and (slot is None or moment.slot > slot):
        asked = f"slot {moment.slot}"
    elif moment.time_s is not None and (time_s is None or moment.time_s >= time_s):
        asked = f"time {moment.time_s}"
    elif moment.signature is not None and (slot is None or point.slot > slot):
        asked = f"transaction {moment.signature!r}, in slot {point.slot},"
    if asked is not None:
        raise BeyondCoverage(asked, slot, time_s)


async def _let_others_run(count: int) -> None:
    """A store that never waits would let nobody else run."""
    if count % TOGETHER == 0:
        await asyncio.sleep(0)


def _lower(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else min(one, other)


def _first(
    start: PageStart | None, lowest: tuple[Value, ...], highest: tuple[Value, ...], order: Order
) -> tuple[Value, ...]:
    """After what the page begins: where the walk goes on, or at an end of its bounds."""
    if start is not None:
        return start.key
    return lowest if order == "asc" else highest


def _page(rows: list[Row], order: tuple[str, ...], limit: int, meta: Meta) -> Page[Any]:
    """Of rows that are one more than the page if there is a next one."""
    following = PageStart(meta.generation, _key(rows[limit - 1], order)) if len(rows) > limit else None
    return Page([row.document for row in rows[:limit]], following, meta)


def _key(row: Row, order: tuple[str, ...]) -> tuple[Value, ...]:
    return tuple(row.id if field == "id" else getattr(row.document, field) for field in order)
