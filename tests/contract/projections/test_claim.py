"""A projector that begins in the middle of a flip: what the flip left behind is not moved on."""

import asyncio
from typing import Any

import pytest

import projections.projector
from eventstore.port import IngestStore
from projections.errors import LiveGenerationLost
from projections.projection import Projection
from projections.projector import Projector
from projections.read_models import open_read_models
from projections.rebuild import Rebuilt
from projections.store import Catalog, Generation, ReadModelStore
from projections.vaults import VAULTS
from tests.contract.projections.conftest import Opener
from tests.unit.projections.following import PACE, append, eventually, follow, live_position, rebuild, running
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=400, vaults=7)


class Wrapped:
    """A store with something done to it; the rest is the store's."""

    def __init__(self, store: ReadModelStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def replace_catalog(self, new: Catalog) -> None:
        await self._store.replace_catalog(new)

    async def create_generation(self, projection: Projection, number: int) -> Generation:
        return await self._store.create_generation(projection, number)

    async def catalog(self) -> Catalog:
        return await self._store.catalog()

    async def open_generation(self, projection: Projection, number: int) -> Generation:
        return await self._store.open_generation(projection, number)


class PausesBeforeTheFlip(Wrapped):
    def __init__(self, store: ReadModelStore) -> None:
        super().__init__(store)
        self.taken_over, self.go_on = asyncio.Event(), asyncio.Event()

    async def replace_catalog(self, new: Catalog) -> None:
        if any(entry.state == "kept" for entry in new.of("vaults")):
            self.taken_over.set()
            await self.go_on.wait()
        await self._store.replace_catalog(new)


async def test_a_flip_between_reading_the_checkpoint_and_claiming_it_takes_no_reader_back(
    models: ReadModelStore, open_models: Opener, events: IngestStore, url: str
) -> None:
    append(events, FACTS[:300])
    await follow(VAULTS, events, models)
    reader, rebuilds = open_read_models(url), PausesBeforeTheFlip(open_models())
    rebuilding = asyncio.create_task(rebuild(VAULTS, events, rebuilds))
    await rebuilds.taken_over.wait()

    class IsLate(Wrapped):
        """The flip comes after the checkpoint was read; a reader has just seen the catalog before it."""

        opened = False

        async def open_generation(self, projection: Projection, number: int) -> Generation:
            self.opened = True
            return await super().open_generation(projection, number)

        async def catalog(self) -> Catalog:
            if self.opened and not rebuilding.done():
                await reader.meta("vaults")
                rebuilds.go_on.set()
                await rebuilding
                append(events, FACTS[300:])
            return await super().catalog()

    seen: list[tuple[int, int]] = []

    async def sees_everything() -> bool:
        meta = await reader.meta("vaults")
        seen.append((meta.position, meta.generation))
        return seen[-1] == (events.last_position(), 2)

    async with running(VAULTS, events, IsLate(models)):
        await eventually(sees_everything, "the reader sees every fact, in the new generation")
    await reader.close()
    assert seen == sorted(seen), "a reader has gone back"


async def test_a_flip_while_a_projector_takes_its_checkpoint_back_takes_no_reader_back(
    models: ReadModelStore, open_models: Opener, events: IngestStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projections.projector, "CATALOG_INTERVAL_S", 1_000.0)  # the claim alone looks at the catalog
    append(events, FACTS[:300])
    reader, rebuilds = open_read_models(url), PausesBeforeTheFlip(open_models())
    rebuilding: list[asyncio.Task[Rebuilt]] = []

    class FlipIsQuicker(Wrapped):
        async def catalog(self) -> Catalog:
            if rebuilding and not rebuilding[0].done():
                await reader.meta("vaults")
                rebuilds.go_on.set()
                await rebuilding[0]
            return await super().catalog()

    seen: list[tuple[int, int]] = []

    async def sees_everything() -> bool:
        meta = await reader.meta("vaults")
        seen.append((meta.position, meta.generation))
        return seen[-1] == (events.last_position(), 2)

    async def followed() -> bool:
        return await live_position(models, VAULTS) == events.last_position()

    async with running(VAULTS, events, FlipIsQuicker(models), PACE._replace(taken_over_s=0.0)):
        await eventually(followed, "the first generation")
        rebuilding.append(asyncio.create_task(rebuild(VAULTS, events, rebuilds)))
        await rebuilds.taken_over.wait()
        append(events, FACTS[300:])
        await eventually(sees_everything, "the reader sees every fact, in the new generation")
    await reader.close()
    assert seen == sorted(seen), "a reader has gone back"


async def test_a_live_generation_that_somebody_removed_is_named_with_the_way_out(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    await models.drop_generation(VAULTS, 1)
    with pytest.raises(LiveGenerationLost, match=r"generation 1 of vaults .* run vault-projector rebuild"):
        await Projector(VAULTS, events, models, PACE).run(asyncio.Event())
