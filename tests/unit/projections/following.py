"""What tests of projections do with real stores: follow to a position, digest, wait for a condition."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from weakref import WeakKeyDictionary

from eventstore.facts import CoverageAdvanced, Fact
from eventstore.port import FactReader, IngestStore
from projections.digest import digest
from projections.projection import Projection
from projections.projector import Pace, Projector
from projections.rebuild import Rebuild, Rebuilt, rebuild_all
from projections.store import Generation, ReadModelStore
from projections.verify import verify

DEADLINE_S = 30.0
_epochs: WeakKeyDictionary[IngestStore, int] = WeakKeyDictionary()
PACE = Pace(batch=100, poll_interval_s=0.002, grace_s=600.0)


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not await condition():
        assert time.monotonic() < deadline_s, f"waited {DEADLINE_S} s in vain: {what}"
        await asyncio.sleep(0.002)


def append(events: IngestStore, facts: Sequence[Fact], *, at_once: int = 500) -> None:
    """Coverage is appended as the indexer does it: if it is higher than before, by who has the lease."""
    for is_coverage, some in groupby(facts, lambda fact: isinstance(fact, CoverageAdvanced)):
        if is_coverage:
            for fact in some:
                assert isinstance(fact, CoverageAdvanced)
                cover(events, fact)
            continue
        rest = list(some)
        for start in range(0, len(rest), at_once):
            events.append(rest[start : start + at_once])


def cover(events: IngestStore, coverage: CoverageAdvanced) -> None:
    if coverage.through_slot > events.progress().coverage:
        if events not in _epochs:
            _epochs[events] = events.acquire_lease("the test")
        epoch = _epochs[events]
        events.record_page(epoch, events.next_walk(coverage.through_slot), [], None, met_floor=True)
        events.append([coverage], epoch=epoch)


async def live_generation(store: ReadModelStore, projection: Projection) -> Generation:
    live = (await store.catalog()).live(projection.name)
    assert live is not None
    return await store.open_generation(projection, live.number)


async def live_position(store: ReadModelStore, projection: Projection) -> int:
    """0 while there is no live generation."""
    if (await store.catalog()).live(projection.name) is None:
        return 0
    generation = await live_generation(store, projection)
    try:
        return (await generation.checkpoint()).position
    finally:
        await generation.close()


async def live_digest(store: ReadModelStore, projection: Projection) -> str:
    generation = await live_generation(store, projection)
    try:
        return await digest(projection, generation)
    finally:
        await generation.close()


@asynccontextmanager
async def running(
    projection: Projection, facts: FactReader, store: ReadModelStore, pace: Pace = PACE
) -> AsyncIterator[asyncio.Task[None]]:
    """A projector beside the test, stopped in the end; what made it stop itself is raised there."""
    stop = asyncio.Event()
    task = asyncio.create_task(Projector(projection, facts, store, pace).run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def follow(projection: Projection, facts: FactReader, store: ReadModelStore, pace: Pace = PACE) -> None:
    """Runs a projector until it has applied all there is."""
    async with running(projection, facts, store, pace) as task:

        async def caught_up() -> bool:
            return task.done() or await live_position(store, projection) >= facts.last_position() > 0

        await eventually(caught_up, "the projector catches up")


async def rebuild(projection: Projection, facts: FactReader, store: ReadModelStore, *, batch: int = 100) -> Rebuilt:
    return await Rebuild(projection, facts, store, batch, lambda phase, done, of: None).run()


async def rebuild_together(
    projections: Iterable[Projection], facts: FactReader, store: ReadModelStore, *, batch: int = 100, **asked: bool
) -> dict[str, Rebuilt]:
    rebuilds = [Rebuild(projection, facts, store, batch, lambda phase, done, of: None) for projection in projections]
    done = await rebuild_all(rebuilds, **asked)
    return {rebuild.projection.name: rebuilt for rebuild, rebuilt in zip(rebuilds, done, strict=True)}


async def proved_digest(projection: Projection, facts: FactReader, store: ReadModelStore) -> str:
    """Of the live generation, after comparing it with the independent fold."""
    generation = await live_generation(store, projection)
    try:
        await verify(projection, facts, generation, facts.last_position(), lambda done, of: None)
        return await digest(projection, generation)
    finally:
        await generation.close()
