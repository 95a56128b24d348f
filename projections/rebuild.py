"""A new generation beside the live one: loaded, proved, and flipped to in one step."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

import structlog

from eventstore.port import FactReader
from projections.catalog import begin_generation, change_catalog, set_state
from projections.diff import differences
from projections.errors import CheckpointUnknown, GenerationGone
from projections.flip import flip, is_newest
from projections.live import open_live
from projections.loading import Loading, Report, catch_up, load
from projections.projection import Projection
from projections.projector import check_identity
from projections.store import Generation, ReadModelStore
from projections.verify import Verifiable, verify_all

TOLD_MAX = 20
"""Differences from the live generation that are told one by one."""
log = structlog.get_logger()


class Rebuilt(NamedTuple):
    generation: int
    events: int
    """Facts that were read."""
    digest: str


class Rebuild:
    """Of one projection. The caller holds the right to rebuild it, so that leftovers are nobody's."""

    def __init__(
        self, projection: Projection, facts: FactReader, store: ReadModelStore, batch: int, report: Report
    ) -> None:
        self.projection, self.store, self.report = projection, store, report
        self._facts, self._batch = facts, batch

    async def run(self, *, resume: bool = False, flips: bool = True) -> Rebuilt:
        """As `rebuild_all`, of one."""
        (rebuilt,) = await rebuild_all([self], resume=resume, flips=flips)
        return rebuilt

    async def begin(self, *, resume: bool) -> tuple[int, Loading]:
        """The number of the generation, and what brings it up."""
        left = await self._left() if resume else None
        if left is None:
            await self.cancel()
        number, generation = left or await self._begin()
        checkpoint = await generation.checkpoint()
        return number, Loading(self.projection, self._facts, generation, checkpoint, self._batch, self.report)

    async def compare(self) -> tuple[Rebuilt, int, list[str]]:
        """Builds and proves one, and drops it: how many documents of the live one differ, and the first differences."""
        rebuilt = await self.run(flips=False)
        name, said, count = self.projection.name, list[str](), 0
        live = (await self.store.catalog()).live(name)
        if live is not None:
            ours = await self.store.open_generation(self.projection, rebuilt.generation)
            theirs = await open_live(self.store, self.projection, live.number)
            async for difference in differences(self.projection, ours, theirs):
                count += 1
                if count <= TOLD_MAX:
                    said.append(difference)
            await ours.close()
            await theirs.close()
        await self.cancel()
        return rebuilt, count, said

    async def cancel(self) -> list[int]:
        """Drops what rebuilds left that did not reach their flip."""
        name = self.projection.name
        left = [e for e in (await self.store.catalog()).of(name) if e.state in ("building", "ready")]
        if not left:
            return []
        catalog = await change_catalog(
            self.store, lambda c: c.with_generations(name, [e for e in c.of(name) if e not in left])
        )
        forgotten = [n for n in range(1, catalog.next_number(name)) if catalog.entry(name, n) is None]
        for number in forgotten:  # those of before too, if who forgot them died before it dropped them
            await self.store.drop_generation(self.projection, number)
        # What is not forgotten is live now: a projector was making its first.
        return [e.number for e in left if e.number in forgotten]

    async def _begin(self) -> tuple[int, Generation]:
        number = await begin_generation(self.store, self.projection)
        return number, await self.store.create_generation(self.projection, number)

    async def _left(self) -> tuple[int, Generation] | None:
        """The newest that a rebuild of this version, from this event store, did not bring to its flip."""
        for entry in reversed((await self.store.catalog()).of(self.projection.name)):
            if entry.state in ("building", "ready") and entry.version == self.projection.version:
                try:
                    generation = await self.store.open_generation(self.projection, entry.number)
                except GenerationGone:  # killed before there was anything of it
                    return None
                try:
                    check_identity(self.projection, self._facts, await generation.checkpoint())
                except CheckpointUnknown as other:
                    await generation.close()
                    log.warning("begun_anew", projection=self.projection.name, reason=str(other))
                    return None
                return entry.number, generation
        return None


async def rebuild_all(rebuilds: Sequence[Rebuild], *, resume: bool = False, flips: bool = True) -> list[Rebuilt]:
    """Side by side: each fact is read once for all of them, to build and to verify. All are proved before any flips.

    With `resume`, goes on with what a rebuild before left, if it left anything that this version can go on with.
    Raises VerificationFailed or Unprojectable, and then the live generations are as they were.
    """
    async with AsyncExitStack() as stack:
        begun: list[tuple[int, Loading]] = []
        for rebuild in rebuilds:
            begun.append(await rebuild.begin(resume=resume))
            stack.push_async_callback(begun[-1][1].generation.close)
        loadings = [loading for _, loading in begun]
        await load(loadings)
        for loading in loadings:
            await loading.generation.create_indexes()
        await catch_up(loadings, "catching up")
        digests = await prove(loadings)
        for rebuild, (number, _) in zip(rebuilds, begun, strict=True):
            await set_state(rebuild.store, rebuild.projection.name, number, "ready")
        for rebuild, (number, loading) in zip(rebuilds, begun, strict=True) if flips else ():
            await flip(rebuild.store, loading, number, is_newest(rebuild.projection.name, number))
        return [
            Rebuilt(number, loading.events, digest) for (number, loading), digest in zip(begun, digests, strict=True)
        ]


async def prove(loadings: Sequence[Loading]) -> list[str]:
    """Digests of generations that are what the facts say, all at one position. Raises VerificationFailed."""
    position, report = loadings[0].checkpoint.position, loadings[0].report
    assert all(loading.checkpoint.position == position for loading in loadings)
    proofs = await verify_all(
        [Verifiable(loading.projection, loading.generation) for loading in loadings],
        loadings[0].facts,
        position,
        lambda done, of: report("verifying", done, of),
    )
    return [proof.digest for proof in proofs]
