"""A new generation beside the live one: loaded, proved, and flipped to in one step."""

from typing import NamedTuple

from eventstore.port import FactReader
from projections.catalog import begin_generation, change_catalog, set_state
from projections.diff import differences
from projections.digest import digest
from projections.errors import GenerationGone
from projections.flip import flip, is_newest
from projections.live import open_live
from projections.loading import Loading, Report
from projections.projection import Projection
from projections.store import Generation, ReadModelStore
from projections.verify import verify

TOLD_MAX = 20
"""Differences from the live generation that are told one by one."""


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

    async def run(self, *, resume: bool = False, flips: bool = True) -> Rebuilt:
        """With `resume`, goes on with what a rebuild before left, if it left anything that this version can go on with.

        Raises VerificationFailed or Unprojectable, and then the live generation is as it was.
        """
        left = await self._left() if resume else None
        if left is None:
            await self.cancel()
        number, generation = left or await self._begin()
        loading = Loading(
            self._projection, self._facts, generation, await generation.checkpoint(), self._batch, self._report
        )
        try:
            await loading.load()
            await generation.create_indexes()
            await loading.catch_up("catching up")
            found = await prove(loading, self._report)
            await set_state(self._store, self._projection.name, number, "ready")
            if flips:
                await flip(self._store, loading, number, is_newest(self._projection.name, number))
        finally:
            await generation.close()
        return Rebuilt(number, loading.events, found)

    async def compare(self) -> tuple[Rebuilt, int, list[str]]:
        """Builds and proves one, and drops it: how many documents of the live one differ, and the first differences."""
        rebuilt = await self.run(flips=False)
        name, said, count = self._projection.name, list[str](), 0
        live = (await self._store.catalog()).live(name)
        if live is not None:
            ours = await self._store.open_generation(self._projection, rebuilt.generation)
            theirs = await open_live(self._store, self._projection, live.number)
            async for difference in differences(self._projection, ours, theirs):
                count += 1
                if count <= TOLD_MAX:
                    said.append(difference)
            await ours.close()
            await theirs.close()
        await self.cancel()
        return rebuilt, count, said

    async def cancel(self) -> list[int]:
        """Drops what rebuilds left that did not reach their flip."""
        name = self._projection.name
        left = [e for e in (await self._store.catalog()).of(name) if e.state in ("building", "ready")]
        if not left:
            return []
        catalog = await change_catalog(
            self._store, lambda c: c.with_generations(name, [e for e in c.of(name) if e not in left])
        )
        dropped = [e.number for e in left if catalog.entry(name, e.number) is None]
        for number in dropped:  # the others are live now: a projector was making its first
            await self._store.drop_generation(self._projection, number)
        return dropped

    async def _begin(self) -> tuple[int, Generation]:
        number = await begin_generation(self._store, self._projection)
        return number, await self._store.create_generation(self._projection, number)

    async def _left(self) -> tuple[int, Generation] | None:
        """The newest generation that a rebuild of this version did not bring to its flip."""
        for entry in reversed((await self._store.catalog()).of(self._projection.name)):
            if entry.state in ("building", "ready") and entry.version == self._projection.version:
                try:
                    return entry.number, await self._store.open_generation(self._projection, entry.number)
                except GenerationGone:  # killed before there was anything of it
                    return None
        return None


async def prove(loading: Loading, report: Report) -> str:
    """The digest of a generation that is what the facts say. Raises VerificationFailed."""
    position = loading.checkpoint.position
    await verify(
        loading.projection,
        loading.facts,
        loading.generation,
        position,
        lambda done, of: report("verifying", done, of),
    )
    return await digest(loading.projection, loading.generation)
