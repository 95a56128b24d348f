"""Follows generations that were live until a flip, so that a rollback finds them up to date."""

import structlog

from eventstore.port import FactReader
from projections.errors import CheckpointMoved, GenerationDamaged, GenerationGone
from projections.fold import apply_batch
from projections.projection import Projection
from projections.store import Catalog, Generation, ReadModelStore

log = structlog.get_logger()


class KeptGenerations:
    """Those that this version of the projection has written."""

    def __init__(self, projection: Projection, facts: FactReader, store: ReadModelStore, batch: int) -> None:
        self._projection, self._facts, self._store, self._batch = projection, facts, store, batch
        self._open: dict[int, Generation] = {}

    async def follow_catalog(self, catalog: Catalog) -> None:
        entries = catalog.of(self._projection.name)
        kept = {e.number for e in entries if e.state == "kept" and e.version == self._projection.version}
        for number in [n for n in self._open if n not in kept]:
            await self._open.pop(number).close()
        for number in kept - self._open.keys():
            try:
                self._open[number] = await self._store.open_generation(self._projection, number)
            except (GenerationGone, GenerationDamaged) as lost:
                log.warning("kept_generation_lost", projection=self._projection.name, reason=str(lost))

    async def follow(self, through: int) -> bool:
        """Applies at most one batch to each, none above position `through`: a reader that has not seen the flip yet is
        not to get ahead of the live one. True if there may be more to do at once."""
        more = False
        for number, generation in self._open.items():
            try:
                more |= await self._turn(generation, through)
            except CheckpointMoved:
                log.info("checkpoint_taken_over", projection=self._projection.name, generation=number)
        return more

    async def _turn(self, generation: Generation, through: int) -> bool:
        held = await generation.checkpoint()
        if held.position >= through:
            return False
        read = self._facts.read_after(held.position, self._batch)
        batch = [stored for stored in read if stored.position <= through]
        if batch:
            await apply_batch(generation, self._projection, self._facts, batch, held, parks=True)
        return bool(batch)

    async def close(self) -> None:
        for generation in self._open.values():
            await generation.close()
        self._open.clear()
