"""A new generation beside the live one: loaded, proved, and flipped to in one step."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog
from msgspec import structs

from eventstore.port import FactReader
from projections.catalog import begin_generation, change_catalog
from projections.digest import digest
from projections.errors import CatalogMoved, CheckpointMoved, GenerationDamaged, GenerationGone
from projections.fold import apply_batch
from projections.projection import Projection
from projections.store import Checkpoint, Generation, GenerationEntry, ReadModelStore
from projections.verify import verify

FLIP_TRIES = 20
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
        number = await begin_generation(self._store, self._projection)
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
        if not left:
            return
        catalog = await change_catalog(
            self._store, lambda c: c.with_generations(name, [e for e in c.of(name) if e not in left])
        )
        for entry in left:
            if catalog.entry(name, entry.number) is None:  # else a projector was making its first, which is live now
                await self._store.drop_generation(self._projection, entry.number)

    async def _catch_up(self, generation: Generation, phase: str, checkpoint: Checkpoint) -> Checkpoint:
        last = self._facts.last_position()
        while batch := self._facts.read_after(checkpoint.position, self._batch):
            checkpoint = await apply_batch(generation, self._projection, batch, checkpoint)
            self._events += len(batch)
            last = max(last, checkpoint.position)
            self._report(phase, checkpoint.position, last)
            await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip
        return checkpoint

    async def _flip(self, generation: Generation, number: int, checkpoint: Checkpoint) -> None:
        """A reader's position never falls: the live checkpoint is taken over, so that it stands still, and passed.

        A projector that goes on all the same changes the catalog first, so that this flip fails and is tried again.
        """
        name = self._projection.name
        for _ in range(FLIP_TRIES):
            checkpoint = await self._catch_up(generation, "catching up", checkpoint)
            catalog = await self._store.catalog()
            live = catalog.live(name)
            if live is not None and live.number > number:  # numbers rise, so that none is used twice
                break
            try:
                if live is not None:
                    await self._take_over(live, generation)
                checkpoint = await self._catch_up(generation, "flipping", checkpoint)
                flipped = [_after_flip(entry, number) for entry in catalog.of(name)]
                await self._store.replace_catalog(catalog.with_generations(name, flipped))
                return
            except (CatalogMoved, CheckpointMoved):
                continue
        raise CatalogMoved

    async def _take_over(self, entry: GenerationEntry, new: Generation) -> None:
        """Who follows the live generation is stopped at its next fact. Its heartbeat goes over to the new one."""
        try:
            live = await self._store.open_generation(self._projection, entry.number)
            try:
                await new.beat(await live.heartbeat_s())
                held = await live.checkpoint()
                await live.apply([], held, structs.replace(held, epoch=held.epoch + 1))
            finally:
                await live.close()
        except (GenerationGone, GenerationDamaged) as lost:
            log.warning("live_generation_lost", projection=self._projection.name, reason=str(lost))


def _after_flip(entry: GenerationEntry, number: int) -> GenerationEntry:
    if entry.number == number:
        return structs.replace(entry, state="live", since_s=time.time())
    if entry.state == "live":
        return structs.replace(entry, state="kept", since_s=time.time())
    return entry
