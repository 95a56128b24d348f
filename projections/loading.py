"""Brings generations that nobody else writes up with the event store, each fact read once for all of them."""

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
    """Of one generation."""

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
        self.batch, self.report = batch, report

    async def catch_up(self, phase: str) -> None:
        await catch_up([self], phase)

    async def apply(self, batch: Sequence[StoredFact]) -> None:
        self.checkpoint = await apply_batch(self.generation, self.projection, self.facts, batch, self.checkpoint)
        self.events += len(batch)
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip

    async def begin(self, as_of: int) -> None:
        """What stands is judged as of there, from the first fact on; unless it began before."""
        if self.checkpoint.position == 0 and self.checkpoint.as_of is None and as_of:
            new = structs.replace(self.checkpoint, as_of=as_of)
            await self.generation.apply([], self.checkpoint, new)
            self.checkpoint = new


async def load(loadings: Sequence[Loading]) -> None:
    """Everything there is now, with what stands now: nothing is made and made again. Goes on where it was left."""
    last = loadings[0].facts.last_position()
    for loading in loadings:
        await loading.begin(last)
    await _bring_up([loading for loading in loadings if loading.checkpoint.as_of is not None], "building", 0)


async def catch_up(loadings: Sequence[Loading], phase: str) -> None:
    """To the same position: the last, as long as no more arrive."""
    facts = loadings[0].facts
    while any(loading.checkpoint.position < facts.last_position() for loading in loadings):
        await _bring_up(loadings, phase, facts.last_position())


async def _bring_up(loadings: Sequence[Loading], phase: str, last: int) -> None:
    """Each to where it ends: the position as of which it loads, or else the last. Those furthest behind go first."""

    def end(loading: Loading) -> int:
        as_of = loading.checkpoint.as_of
        return last if as_of is None else as_of

    while behind := [one for one in loadings if one.checkpoint.position < end(one)]:
        position = min(one.checkpoint.position for one in behind)
        here = [one for one in behind if one.checkpoint.position == position]
        stops = [end(one) for one in behind] + [one.checkpoint.position for one in behind if one not in here]
        read = here[0].facts.read_after(position, here[0].batch)
        batch = [stored for stored in read if stored.position <= min(stops)]
        if not batch:
            raise CheckpointUnknown(here[0].projection.name, min(stops))
        for one in here:
            await one.apply(batch)
        here[0].report(phase, batch[-1].position, max(max(stops), batch[-1].position))
