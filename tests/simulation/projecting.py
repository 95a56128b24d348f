"""The real projector beside the simulated indexer: killed wherever it waits or writes, with rebuilds in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from eventstore.errors import StoreMissing
from eventstore.open import open_fact_reader
from eventstore.port import FactReader
from projections.digest import digest
from projections.errors import CatalogMoved
from projections.open import open_store
from projections.projection import Projection
from projections.projector import Pace, Projector
from projections.rebuild import Rebuild
from projections.store import Catalog, Checkpoint, Generation, ReadModelStore, Row
from projections.transactions import TRANSACTIONS
from projections.tvl_stats import TVL_STATS
from projections.vaults import VAULTS
from tests.simulation.read_model_oracle import wrong_read_models

PROJECTIONS = (VAULTS, TRANSACTIONS, TVL_STATS)
PACE = Pace(batch=7, poll_interval_s=0.3, grace_s=1e9)
REBUILD_BATCH = 11
LOOK_S = 0.5
CATCHES_UP_WITHIN_S = 120.0


class Killed(BaseException):
    """As kill -9."""


class MortalGeneration:
    """A generation whose process dies now and then, just before or just after a transaction."""

    def __init__(self, generation: Generation, random: Random, rate: float) -> None:
        self.real, self._random, self._rate = generation, random, rate

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def apply(self, rows: Sequence[Row], held: Checkpoint, new: Checkpoint) -> None:
        fate = self._random.random()
        if fate < self._rate:
            raise Killed
        await self.write(rows, held, new)
        await asyncio.sleep(0)
        if fate > 1 - self._rate:
            raise Killed

    async def write(self, rows: Sequence[Row], held: Checkpoint, new: Checkpoint) -> None:
        await self.real.apply(rows, held, new)


class MortalReadModels:
    """Read models whose process dies now and then, also around a change of the catalog."""

    def __init__(self, store: ReadModelStore, random: Random, rate: float, generation: type[MortalGeneration]) -> None:
        self._store, self._random, self._rate, self._kind = store, random, rate, generation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def create_generation(self, projection: Projection, number: int) -> Any:
        return self._mortal(await self._store.create_generation(projection, number))

    async def open_generation(self, projection: Projection, number: int) -> Any:
        return self._mortal(await self._store.open_generation(projection, number))

    async def replace_catalog(self, new: Catalog) -> None:
        fate = self._random.random()
        if fate < self._rate:
            raise Killed
        await self._store.replace_catalog(new)
        if fate > 1 - self._rate:
            raise Killed

    def _mortal(self, generation: Generation) -> MortalGeneration:
        return self._kind(generation, self._random, self._rate)


class ProjectingParts(NamedTuple):
    """What a projector's process is made of; sabotage replaces some of it."""

    projector: type[Projector] = Projector
    generation: type[MortalGeneration] = MortalGeneration


class Projecting:
    """Processes one after the other, until `end`, which lets the last one catch up and says what is wrong."""

    def __init__(self, seed: int, events: Path, folder: Path, parts: ProjectingParts) -> None:
        self._random = Random(f"projecting {seed}")
        self._events_url, self._models_url = f"sqlite:///{events}", f"sqlite:///{folder}/read-models"
        self._parts = parts
        self._death_rate = self._random.choice([0.0, 0.01, 0.05])
        self._lives = asyncio.create_task(self._live_on())

    async def _live_on(self) -> None:
        while True:
            with suppress(TimeoutError, Killed):
                async with asyncio.timeout(self._random.expovariate(1 / 10)):
                    async with self._process(self._death_rate) as (facts, models):
                        await self._work(facts, models, rebuilds=self._random.random() < 0.3)
            await asyncio.sleep(self._random.choice([0.0, 0.5, 5.0]))

    @asynccontextmanager
    async def _process(self, death_rate: float) -> AsyncIterator[tuple[FactReader, Any]]:
        facts = await self._facts()
        store = open_store(self._models_url, create=True)
        try:
            yield facts, MortalReadModels(store, self._random, death_rate, self._parts.generation)
        finally:
            facts.close()
            await store.close()

    async def _facts(self) -> FactReader:
        while True:
            with suppress(StoreMissing):
                return open_fact_reader(self._events_url)
            await asyncio.sleep(LOOK_S)

    async def _work(self, facts: FactReader, models: Any, *, rebuilds: bool) -> None:
        work = [self._parts.projector(p, facts, models, PACE).run(asyncio.Event()) for p in PROJECTIONS]
        if rebuilds:
            work.append(self._rebuild(facts, models))
        tasks = [asyncio.create_task(one) for one in work]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _rebuild(self, facts: FactReader, models: Any) -> None:
        await asyncio.sleep(self._random.uniform(0, 5))
        projection = self._random.choice(PROJECTIONS)
        rebuild = Rebuild(projection, facts, models, REBUILD_BATCH, lambda *_: None)
        with suppress(CatalogMoved):  # the projectors were quicker each time that it wanted to flip
            await rebuild.run(resume=self._random.random() < 0.5)

    async def end(self, expected: Any) -> list[str]:
        self._lives.cancel()
        with suppress(asyncio.CancelledError):
            await self._lives
        async with self._process(0.0) as (facts, models):
            following = asyncio.create_task(self._work(facts, models, rebuilds=False))
            try:
                async with asyncio.timeout(CATCHES_UP_WITHIN_S):
                    while not following.done() and not await _has_caught_up(facts, models):
                        await asyncio.wait([following], timeout=LOOK_S)
            except TimeoutError:
                return ["the projector did not catch up"]
            finally:
                following.cancel()
                await asyncio.wait([following])
            wrong = []
            for projection in PROJECTIONS:
                wrong += await self._compare(projection, facts, models, expected)
            return wrong

    async def _compare(self, projection: Projection, facts: FactReader, models: Any, expected: Any) -> list[str]:
        live = await _live(models, projection)
        assert live is not None
        followed = await digest(projection, live)
        wrong = await wrong_read_models(projection, live, expected)
        await live.close()
        rebuilt = await Rebuild(projection, facts, models, REBUILD_BATCH, lambda *_: None).run()
        if rebuilt.digest != followed:
            wrong.append(f"{projection.name}: a rebuild makes another digest")
        return wrong


async def _has_caught_up(facts: FactReader, models: ReadModelStore) -> bool:
    last = facts.last_position()
    for projection in PROJECTIONS:
        live = await _live(models, projection)
        if live is None:
            return False
        position = (await live.checkpoint()).position
        await live.close()
        if position < last:
            return False
    return True


async def _live(models: ReadModelStore, projection: Projection) -> Generation | None:
    entry = (await models.catalog()).live(projection.name)
    return None if entry is None else await models.open_generation(projection, entry.number)
