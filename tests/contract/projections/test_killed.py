"""Killed before or after any step that a rebuild, a flip, a rollback or a drop takes in the store of read models.

What is read stays whole and goes on, and the same command, given again, ends as if nothing had happened.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from eventstore.port import IngestStore
from projections.errors import NoSuchGeneration
from projections.operating import Operator
from projections.projection import Projection
from projections.registry import PROJECTIONS
from projections.store import ReadModelStore
from projections.tvl_stats import TVL_STATS
from projections.vaults import VAULTS
from tests.unit.projections.following import (
    append,
    follow,
    live_digest,
    live_position,
    proved_digest,
    rebuild,
    rebuild_together,
)
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=30, vaults=4)
STEPS_MAX = 400
EACH = pytest.mark.parametrize("projection", [VAULTS, TVL_STATS], ids=lambda p: p.name)
WHEN = pytest.mark.parametrize("late", [False, True], ids=["before the step", "after the step"])


class Killed(Exception):
    pass


class Mortal:
    """A store, and the generations that it opens, of which one step is the process's last; None of them for None."""

    def __init__(self, store: ReadModelStore, *, last: int, late: bool) -> None:
        self._wrapped, self._life = store, Life(last, late)

    def __getattr__(self, name: str) -> Any:
        return self._life.step(getattr(self._wrapped, name))


class Life:
    def __init__(self, last: int, late: bool) -> None:
        self._last, self._late, self._steps = last, late, 0

    def step(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        if method.__name__ == "close":  # which a dying process does not do, but a test must
            return method

        async def taken(*arguments: Any) -> Any:
            self._steps += 1
            if self._steps == self._last and not self._late:
                raise Killed
            done = await method(*arguments)
            if self._steps == self._last:
                if hasattr(done, "checkpoint"):
                    await done.close()
                raise Killed
            return MortalGeneration(done, self) if hasattr(done, "checkpoint") else done

        return taken


class MortalGeneration:
    def __init__(self, generation: Any, life: Life) -> None:
        self._generation, self._life = generation, life

    def __getattr__(self, name: str) -> Any:
        return self._life.step(getattr(self._generation, name))


class Command(NamedTuple):
    """What is done before it, what it does, and what is done when it was killed."""

    prepare: Callable[[], Awaitable[object]]
    run: Callable[[ReadModelStore], Awaitable[object]]
    again: Callable[[], Awaitable[object]]


class Scene(NamedTuple):
    events: IngestStore
    models: ReadModelStore
    projections: list[Projection]

    async def seen(self) -> list[tuple[str, int]]:
        """What readers see of each: its digest, and its position."""
        return [(await live_digest(self.models, p), await live_position(self.models, p)) for p in self.projections]

    async def kept(self) -> set[tuple[str, int]]:
        """Generations to go back to, whose documents are there."""
        catalog, found = await self.models.catalog(), set[tuple[str, int]]()
        for projection in self.projections:
            for entry in catalog.of(projection.name):
                if entry.state in ("live", "kept"):
                    await (await self.models.open_generation(projection, entry.number)).close()
                    found.add((projection.name, entry.number))
        return found

    async def survives(self, command: Command, *, late: bool, drops: bool = False) -> int:
        """How many steps it took in the end."""
        for last in range(1, STEPS_MAX):
            await command.prepare()
            before, kept = await self.seen(), await self.kept()
            mortal: Any = Mortal(self.models, last=last, late=late)
            try:
                await command.run(mortal)
            except Killed:
                await self._is_whole(before)
                await command.again()
            else:
                return last
            finally:
                await self._is_whole(before)
                assert drops or kept <= await self.kept()
        raise AssertionError("it never ends")

    async def _is_whole(self, before: list[tuple[str, int]]) -> None:
        for projection, (digest, position), (was, position_before) in zip(
            self.projections, await self.seen(), before, strict=True
        ):
            assert digest == was, projection.name
            assert position >= position_before, f"a reader of {projection.name} has gone back"
            states = [entry.state for entry in (await self.models.catalog()).of(projection.name)]
            assert states.count("live") == 1


@pytest.fixture
async def scene(models: ReadModelStore, events: IngestStore, request: pytest.FixtureRequest) -> Scene:
    append(events, FACTS)
    projections = list(PROJECTIONS.values())
    for projection in projections:
        await follow(projection, events, models)
    return Scene(events, models, projections)


@WHEN
async def test_a_rebuild_of_all_goes_on_where_it_was_killed(scene: Scene, late: bool) -> None:
    async def tidy() -> None:
        """One to go back to is enough."""
        for projection in scene.projections:
            entries = (await scene.models.catalog()).of(projection.name)
            old = [entry for entry in entries if entry.state == "kept"][:-1]
            for entry in old:
                await scene.models.drop_generation(projection, entry.number)
            catalog = await scene.models.catalog()
            left = [entry for entry in entries if entry not in old]
            await scene.models.replace_catalog(catalog.with_generations(projection.name, left))

    async def build(store: ReadModelStore) -> None:
        await rebuild_together(scene.projections, scene.events, store, batch=20)

    async def resume() -> None:
        await rebuild_together(scene.projections, scene.events, scene.models, batch=20, resume=True)
        for projection in scene.projections:
            await proved_digest(projection, scene.events, scene.models)

    steps = await scene.survives(Command(tidy, build, resume), late=late)
    assert steps > 50
    await rebuild_together(scene.projections, scene.events, scene.models)
    catalog = await scene.models.catalog()
    assert all(entry.state in ("live", "kept") for p in scene.projections for entry in catalog.of(p.name))


@EACH
@WHEN
async def test_a_flip_that_was_killed_is_done_by_the_next(scene: Scene, projection: Projection, late: bool) -> None:
    async def leave() -> None:
        await rebuild_together([projection], scene.events, scene.models, flips=False)

    async def flip(store: ReadModelStore) -> None:
        await operator(scene, store).flip(projection)

    async def again() -> None:
        try:
            await flip(scene.models)
        except NoSuchGeneration:  # it had flipped when it died
            assert late

    assert await scene.survives(Command(leave, flip, again), late=late) > 10
    await follow(projection, scene.events, scene.models)
    await proved_digest(projection, scene.events, scene.models)


@EACH
@WHEN
async def test_a_rollback_that_was_killed_is_done_by_the_next(scene: Scene, projection: Projection, late: bool) -> None:
    targets: list[int] = []

    async def flipped() -> None:
        await rebuild(projection, scene.events, scene.models)
        kept = [e for e in (await scene.models.catalog()).of(projection.name) if e.state == "kept"]
        targets.append(max(kept, key=lambda entry: entry.since_s).number)

    async def roll_back(store: ReadModelStore) -> None:
        await operator(scene, store).roll_back(projection, although_behind=False)

    async def again() -> None:
        live = (await scene.models.catalog()).live(projection.name)
        assert live is not None
        if live.number != targets[-1]:
            await roll_back(scene.models)
        assert (await scene.models.catalog()).live(projection.name) == entry_of(
            await scene.models.catalog(), projection
        )

    def entry_of(catalog: Any, projection: Projection) -> Any:
        return catalog.entry(projection.name, targets[-1])

    assert await scene.survives(Command(flipped, roll_back, again), late=late) > 5
    await follow(projection, scene.events, scene.models)
    await proved_digest(projection, scene.events, scene.models)


@WHEN
async def test_a_drop_that_was_killed_is_done_by_the_next(scene: Scene, late: bool) -> None:
    kept: list[int] = []

    async def flipped() -> None:
        kept.append((await rebuild(VAULTS, scene.events, scene.models)).generation - 1)

    async def drop(store: ReadModelStore) -> None:
        await operator(scene, store).drop(VAULTS, kept[-1])

    async def again() -> None:
        if (await scene.models.catalog()).entry("vaults", kept[-1]) is not None:
            await drop(scene.models)
        with pytest.raises(NoSuchGeneration):
            await drop(scene.models)

    assert await scene.survives(Command(flipped, drop, again), late=late, drops=True) > 2


def operator(scene: Scene, store: ReadModelStore) -> Operator:
    return Operator("somebody@here", scene.events, store, 40, lambda phase, done, of: None)
