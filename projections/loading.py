"""Brings a generation that nobody else writes up with the event store."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import structs

from eventstore.port import FactReader, StoredFact
from projections.errors import CheckpointUnknown
from projections.fold import apply_batch
from projections.projection import Projection
from projections.store import Checkpoint, Generation

Report = Callable[[str, int, int], None]
"""(phase, done, of)"""


class Loading:
    def __init__(
        self,
        projection: Projection,
        facts: FactReader,
        generation: Generation,
        checkpoint: Checkpoint,
        batch: int,
        report: Report,
    ) -> None:
        self.projection, self.facts, self.generation, self.checkpoint = projection, facts, generation, checkpoint
        self.events = 0
        """Facts that were read."""
        self._batch, self._report = batch, report

    async def load(self) -> None:
        """Everything there is now, with what stands now: nothing is made and made again. Goes on where it was left."""
        if self.checkpoint.position == 0 and (last := self.facts.last_position()):
            await self._move(structs.replace(self.checkpoint, as_of=last))
        while (as_of := self.checkpoint.as_of) is not None:
            read = self.facts.read_after(self.checkpoint.position, self._batch)
            batch = [stored for stored in read if stored.position <= as_of]
            if not batch:
                raise CheckpointUnknown(self.projection.name, as_of)
            await self._apply(batch)
            self._report("building", self.checkpoint.position, as_of)

    async def catch_up(self, phase: str) -> None:
        last = self.facts.last_position()
        while batch := self.facts.read_after(self.checkpoint.position, self._batch):
            await self._apply(batch)
            last = max(last, self.checkpoint.position)
            self._report(phase, self.checkpoint.position, last)

    async def _apply(self, batch: Sequence[StoredFact]) -> None:
        self.checkpoint = await apply_batch(self.generation, self.projection, self.facts, batch, self.checkpoint)
        self.events += len(batch)
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip

    async def _move(self, new: Checkpoint) -> None:
        await self.generation.apply([], self.checkpoint, new)
        self.checkpoint = new
