"""Generations as readers find them: opened once, the live one of now, or the one that a walk began in."""

import time
from collections.abc import Callable
from typing import NamedTuple

from projections.errors import GenerationGone, LiveGenerationLost, ReadModelsReplaced, ReadModelsUnavailable
from projections.projection import Projection
from projections.store import Catalog, Checkpoint, Generation, ReadModelStore

CATALOG_AGE_S_MAX = 0.1
"""How long after a flip a reader may still answer from the generation before."""


class Open(NamedTuple):
    generation: Generation
    number: int
    checkpoint: Checkpoint
    """Read before the documents: what it says is in them is in them."""


class OpenGenerations:
    """Of a store that is opened when it is there."""

    def __init__(self, open_: Callable[[], ReadModelStore]) -> None:
        self._open = open_
        self._store: ReadModelStore | None = None
        self._catalog = Catalog()
        self._catalog_due_s = 0.0
        self._generations: dict[tuple[str, int], Generation] = {}

    async def live(self, projection: Projection) -> Open:
        """Raises ReadModelsUnavailable and LiveGenerationLost."""
        live = (await self.catalog()).live(projection.name)
        if live is None:
            raise ReadModelsUnavailable(projection.name, "there is no generation yet")
        try:
            return await self._opened_one(projection, live.number)
        except GenerationGone as gone:
            raise LiveGenerationLost(projection.name, live.number) from gone

    async def kept(self, projection: Projection, number: int) -> Open:
        """Live or not. Raises GenerationGone."""
        entry = (await self.catalog()).entry(projection.name, number)
        if entry is None or entry.state == "building":
            raise GenerationGone(projection.name, number)
        return await self._opened_one(projection, number)

    async def catalog(self) -> Catalog:
        """Not older than CATALOG_AGE_S_MAX."""
        now_s = time.monotonic()
        if now_s >= self._catalog_due_s:
            try:
                self._catalog = await self._opened_store().catalog()
            except ReadModelsReplaced:
                await self.close()
                self._catalog = await self._opened_store().catalog()
            self._catalog_due_s = now_s + CATALOG_AGE_S_MAX
            await self._forget_dropped()
        return self._catalog

    async def close(self) -> None:
        for generation in self._generations.values():
            await generation.close()
        self._generations.clear()
        if self._store is not None:
            await self._store.close()
            self._store = None

    async def _opened_one(self, projection: Projection, number: int) -> Open:
        generation = self._generations.get((projection.name, number))
        if generation is None:
            generation = await self._opened_store().open_generation(projection, number)
            self._generations[projection.name, number] = generation
        return Open(generation, number, await generation.checkpoint())

    async def _forget_dropped(self) -> None:
        for name, number in [key for key in self._generations if self._catalog.entry(*key) is None]:
            await self._generations.pop((name, number)).close()

    def _opened_store(self) -> ReadModelStore:
        if self._store is None:
            self._store = self._open()
        return self._store
