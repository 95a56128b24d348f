"""A new generation beside the live one: loaded, proved, and flipped to in one step."""

import time
from collections.abc import Callable
from typing import NamedTuple

import structlog
from msgspec import structs

from eventstore.port import FactReader
from projections.catalog import change_catalog
from projections.digest import digest
from projections.errors import CheckpointMoved
from projections.fold import apply_batch
from projections.projection import Projection
from projections.store import Catalog, Checkpoint, Generation, GenerationEntry, ReadModelStore
from projections.verify import verify

FLIP_WITHIN_S = 0.8
"""After taking the live checkpoint over; its projector waits longer than twice that before it goes on."""
Report = Callable[[str, int, int], None]
"""(phase, done, of)"""
log = structlog.get_logger()


class Rebuilt(NamedTuple):
    generation: int
    events: int
    """Facts that were read."""
    digest: str


class Rebuild:
    """The caller holds the right to rebuild the projection, so that leftovers are nobody's."""

    def __init__(
        self, projection: Projection, facts: FactReader, store: ReadModelStore, batch: int, report: Report
    ) -> None:
        self._projection, self._facts, self._store = projection, facts, store
        self._batch, self._report = batch, report
        self._events = 0

    async def run(self) -> Rebuilt:
        """Raises VerificationFailed, and then the live generation is as it was."""
        await self._drop_leftovers()
        number = await self._begin()
        generation = await self._store.create_generation(self._projection, number)
        try:
            checkpoint = await self._catch_up(generation, "building", Checkpoint())
            await generation.create_indexes()
            checkpoint = await self._catch_up(generation, "catching up", checkpoint)
            await verify(
                self._projection,
                self._facts,
                generation,
                checkpoint.position,
                lambda done, of: self._report("verifying", done, of),
            )
            found = await digest(self._projection, generation)
            await self._flip(generation, number, checkpoint)
        finally:
            await generation.close()
        log.info("flipped", projection=self._projection.name, generation=number)
        return Rebuilt(number, self._events, found)

    async def _drop_leftovers(self) -> None:
        """Of rebuilds that did not reach their flip."""
        name = self._projection.name
        left = [e for e in (await self._store.catalog()).of(name) if e.state == "building"]
        if left:
            await change_catalog(
                self._store, lambda c: c.with_generations(name, [e for e in c.of(name) if e not in left])
            )
        for entry in left:
            await self._store.drop_generation(self._projection, entry.number)

    async def _begin(self) -> int:
        name, version = self._projection.name, self._projection.version

        def add(catalog: Catalog) -> Catalog:
            number = catalog.next_number(name)
            new = GenerationEntry(number=number, version=version, state="building", since_s=time.time())
            return catalog.with_generations(name, [*catalog.of(name), new])

        catalog = await change_catalog(self._store, add)
        number = catalog.of(name)[-1].number
        await self._store.drop_generation(self._projection, number)  # a file that no catalog knew
        return number

    async def _catch_up(self, generation: Generation, phase: str, checkpoint: Checkpoint) -> Checkpoint:
        last = self._facts.last_position()
        while batch := self._facts.read_after(checkpoint.position, self._batch):
            checkpoint = await apply_batch(generation, self._projection, batch, checkpoint)
            self._events += len(batch)
            last = max(last, checkpoint.position)
            self._report(phase, checkpoint.position, last)
        return checkpoint

    async def _flip(self, generation: Generation, number: int, checkpoint: Checkpoint) -> None:
        """A reader's position never falls: the live checkpoint is taken over, so that it stands still, and passed."""
        while True:
            checkpoint = await self._catch_up(generation, "flipping", checkpoint)
            live = (await self._store.catalog()).live(self._projection.name)
            deadline_s = time.monotonic() + FLIP_WITHIN_S
            if live is not None and not await self._take_over(live, checkpoint, generation):
                continue
            if await self._flip_catalog(number, live, deadline_s):
                return

    async def _take_over(self, entry: GenerationEntry, ours: Checkpoint, new: Generation) -> bool:
        """False if the live one is ahead, or moved meanwhile. Its heartbeat goes over to the new one."""
        live = await self._store.open_generation(self._projection, entry.number)
        try:
            held = await live.checkpoint()
            if held.position > ours.position:
                return False
            await new.beat(await live.heartbeat_s())
            await live.apply([], held, structs.replace(held, epoch=held.epoch + 1))
        except CheckpointMoved:
            return False
        finally:
            await live.close()
        return True

    async def _flip_catalog(self, number: int, live: GenerationEntry | None, deadline_s: float) -> bool:
        """False if it took too long, or another generation is live by now."""
        name = self._projection.name

        def flip(catalog: Catalog) -> Catalog | None:
            if catalog.live(name) != live or time.monotonic() > deadline_s:
                return None
            return catalog.with_generations(name, [_after_flip(entry, number) for entry in catalog.of(name)])

        changed = await change_catalog(self._store, flip)
        now_live = changed.live(name)
        return now_live is not None and now_live.number == number


def _after_flip(entry: GenerationEntry, number: int) -> GenerationEntry:
    if entry.number == number:
        return structs.replace(entry, state="live", since_s=time.time())
    if entry.state == "live":
        return structs.replace(entry, state="kept", since_s=time.time())
    return entry
