"""A rebuild beside a live generation: proved before the flip, seen whole or not at all, and never a step back."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from eventstore.facts import Fact
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import IngestStore
from projections.catalog import begin_generation
from projections.errors import CatalogMoved, GenerationGone, ProjectionError, VerificationFailed
from projections.fold import apply_batch
from projections.open import open_store
from projections.projection import Projection
from projections.read_models import StoreReadModels
from projections.rebuild import Rebuild
from projections.registry import PROJECTIONS
from projections.store import Catalog, Checkpoint, Generation, GenerationEntry, ReadModelStore, Row
from projections.transactions import TRANSACTIONS
from projections.vaults import VAULTS
from tests.contract.projections.conftest import Opener
from tests.unit.projections.following import (
    PACE,
    append,
    eventually,
    follow,
    live_digest,
    live_position,
    proved_digest,
    rebuild,
    running,
)
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=400, vaults=7)
EACH = pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=lambda p: p.name)


class Wrapped:
    """A store with something done to it; the rest is the store's."""

    def __init__(self, store: ReadModelStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def create_generation(self, projection: Projection, number: int) -> Generation:
        return await self._store.create_generation(projection, number)

    async def replace_catalog(self, new: Catalog) -> None:
        await self._store.replace_catalog(new)


def flips(new: Catalog) -> bool:
    return any(entry.state == "kept" for entry in new.of("vaults"))


@EACH
async def test_a_rebuild_ends_in_the_digest_of_the_live_one_and_flips_to_a_new_generation(
    models: ReadModelStore, events: IngestStore, projection: Projection
) -> None:
    append(events, FACTS)
    await follow(projection, events, models)
    live = await live_digest(models, projection)
    rebuilt = await rebuild(projection, events, models)
    assert (rebuilt.generation, rebuilt.events, rebuilt.digest) == (2, len(FACTS), live)
    assert [(e.number, e.state) for e in (await models.catalog()).of(projection.name)] == [(1, "kept"), (2, "live")]
    assert await proved_digest(projection, events, models) == live


async def test_a_rebuild_needs_neither_a_live_generation_nor_a_fact(
    models: ReadModelStore, events: IngestStore
) -> None:
    rebuilt = await rebuild(VAULTS, events, models)
    assert (rebuilt.generation, rebuilt.events) == (1, 0)
    append(events, FACTS)
    assert await rebuild(VAULTS, events, models) == (2, len(FACTS), await proved_digest(VAULTS, events, models))


async def test_it_says_how_far_it_is_in_every_phase(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    said: list[tuple[str, int, int]] = []
    await Rebuild(VAULTS, events, models, 100, lambda phase, done, of: said.append((phase, done, of))).run()
    assert {phase for phase, _, _ in said} >= {"building", "verifying"}
    assert all(0 < done <= of for _, done, of in said)
    assert said[-1] == ("verifying", 128, 128), "the log, and then the index by vault"


async def test_a_reader_in_the_middle_of_its_pages_stays_on_its_generation_until_that_is_dropped(
    models: ReadModelStore, events: IngestStore, open_models: Opener
) -> None:
    append(events, FACTS)
    await follow(TRANSACTIONS, events, models)
    reader = StoreReadModels(open_models)
    first = await reader.transactions("vault-0001", start=None, limit=7, order="asc")
    whole = await reader.transactions("vault-0001", start=None, limit=10_000, order="asc")
    await rebuild(TRANSACTIONS, events, models)

    async def flipped() -> bool:
        return (await reader.meta("transactions")).generation == 2

    await eventually(flipped, "the reader sees the flip")
    items, start = first.items, first.next
    while start is not None:
        assert start.generation == 1
        page = await reader.transactions("vault-0001", start=start, limit=7, order="asc")
        assert page.meta.generation == 1
        items, start = items + page.items, page.next
    assert items == whole.items

    async def gone() -> bool:
        try:
            await reader.transactions("vault-0001", start=first.next, limit=7, order="asc")
        except GenerationGone:
            return True
        return False

    async with running(TRANSACTIONS, events, models, PACE._replace(grace_s=0.0)):
        await eventually(gone, "the old cursor's generation is gone")
    again = await reader.transactions("vault-0001", start=None, limit=10_000, order="asc")
    assert (again.items, again.meta.generation) == (whole.items, 2)
    await reader.close()


async def test_a_reader_never_goes_back_through_flips_while_facts_arrive_and_are_projected(
    url: str, events_url: str, events: IngestStore, models: ReadModelStore, open_models: Opener
) -> None:
    """Writer, projector and rebuilds each in a thread of their own, the reader in the test's."""
    facts = random_history(steps=6_000, vaults=20)
    append(events, facts[:500])
    await rebuild(VAULTS, events, models)
    done = threading.Event()

    def write() -> None:
        store = open_ingest_store(events_url)
        for start in range(500, len(facts), 20):
            store.append(facts[start : start + 20])
        store.close()

    async def project() -> None:
        store, reader = open_store(url, create=True), open_fact_reader(events_url)
        async with running(VAULTS, reader, store, PACE._replace(batch=30, taken_over_s=0.1)):

            async def over() -> bool:
                return done.is_set()

            await eventually(over, "the rebuilds are over")
        await store.close()
        reader.close()

    async def rebuild_often() -> None:
        store, reader = open_store(url, create=True), open_fact_reader(events_url)
        try:
            for _ in range(6):
                await rebuild(VAULTS, reader, store, batch=300)
        finally:
            done.set()
            await store.close()
            reader.close()

    work = asyncio.gather(
        asyncio.to_thread(write),
        asyncio.to_thread(asyncio.run, project()),
        asyncio.to_thread(asyncio.run, rebuild_often()),
    )
    reader = StoreReadModels(open_models)
    seen = [await reader.meta("vaults")]
    while not work.done():
        seen.append(await reader.meta("vaults"))
        assert seen[-1].position >= seen[-2].position, seen[-2:]
        assert (seen[-1].slot or 0) >= (seen[-2].slot or 0), seen[-2:]
        assert seen[-1].generation >= seen[-2].generation, seen[-2:]
        await asyncio.sleep(0)
    await work
    await reader.close()
    assert {meta.generation for meta in seen} >= {1, 2}
    await follow(VAULTS, events, models)
    await proved_digest(VAULTS, events, models)


class ProjectorRestarts(Wrapped):
    """Just before the flip, after the checkpoint was taken over, a projector starts and facts arrive: once."""

    def __init__(self, store: ReadModelStore, events: IngestStore, more: Sequence[Fact]) -> None:
        super().__init__(store)
        self.events, self.more, self.seen = events, more, 0

    async def replace_catalog(self, new: Catalog) -> None:
        if flips(new) and not self.seen:
            self.events.append(self.more)
            await follow(VAULTS, self.events, self._store)
            self.seen = await live_position(self._store, VAULTS)
        await self._store.replace_catalog(new)


async def test_a_projector_that_starts_between_take_over_and_flip_makes_the_flip_wait_for_its_facts(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS[:300])
    await follow(VAULTS, events, models)
    store = ProjectorRestarts(models, events, FACTS[300:])
    await rebuild(VAULTS, events, store)
    assert store.seen == events.last_position()
    assert await live_position(models, VAULTS) >= store.seen, "a reader has gone back"
    await proved_digest(VAULTS, events, models)


class ProjectorIsQuicker(Wrapped):
    """Facts arrive, and its projector applies them, just before the live checkpoint is taken over: once."""

    def __init__(self, store: ReadModelStore, events: IngestStore, more: Sequence[Fact]) -> None:
        super().__init__(store)
        self.events, self.more, self.seen = events, more, 0

    async def open_generation(self, projection: Projection, number: int) -> Generation:
        live = await self._store.open_generation(projection, number)
        if not self.seen:
            self.events.append(self.more)
            held = await live.checkpoint()
            batch = self.events.read_after(held.position, 10_000)
            applied = await apply_batch(live, projection, self.events, batch, held)
            self.seen = applied.position
        return live


async def test_what_a_projector_applied_just_before_the_take_over_is_passed_before_the_flip(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS[:300])
    await follow(VAULTS, events, models)
    store = ProjectorIsQuicker(models, events, FACTS[300:])
    await rebuild(VAULTS, events, store)
    assert store.seen == events.last_position()
    assert await live_position(models, VAULTS) == store.seen, "a reader has gone back"
    await proved_digest(VAULTS, events, models)


async def test_leftovers_of_several_rebuilds_all_go_with_the_next(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    for _ in range(3):
        await (await models.create_generation(VAULTS, await begin_generation(models, VAULTS))).close()
    assert (await rebuild(VAULTS, events, models)).generation == 4
    for number in (1, 2, 3):
        with pytest.raises(GenerationGone):
            await models.open_generation(VAULTS, number)


class DiesBeforeTheFlip(Wrapped):
    async def replace_catalog(self, new: Catalog) -> None:
        if flips(new):
            raise OSError("killed")
        await self._store.replace_catalog(new)


async def test_a_projector_whose_checkpoint_was_taken_over_waits_and_goes_on_if_nothing_is_flipped(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS[:300])
    async with running(VAULTS, events, models, PACE._replace(taken_over_s=0.3)):

        async def followed() -> bool:
            return await live_position(models, VAULTS) == events.last_position()

        await eventually(followed, "the projector follows")
        with pytest.raises(OSError, match="killed"):
            await rebuild(VAULTS, events, DiesBeforeTheFlip(models))
        taken_over = events.last_position()
        append(events, FACTS[300:])
        began_s = asyncio.get_running_loop().time()
        await eventually(followed, "the projector goes on")
        assert asyncio.get_running_loop().time() - began_s >= 0.25, "it did not wait for the flip"
        assert taken_over < events.last_position()
    assert [(e.number, e.state) for e in (await models.catalog()).of("vaults")] == [(1, "live"), (2, "ready")]
    await proved_digest(VAULTS, events, models)


async def test_a_flip_is_tried_again_when_the_catalog_moved_and_given_up_when_it_always_does(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)

    class Busy(Wrapped):
        def __init__(self, store: ReadModelStore, times: int) -> None:
            super().__init__(store)
            self.times = times

        async def replace_catalog(self, new: Catalog) -> None:
            if flips(new) and self.times:
                self.times -= 1
                now = await self._store.catalog()
                await self._store.replace_catalog(structs.replace(now, revision=now.revision + 1))
            await self._store.replace_catalog(new)

    await rebuild(VAULTS, events, Busy(models, 3))
    assert (await models.catalog()).live("vaults") == (await models.catalog()).entry("vaults", 2)

    with pytest.raises(CatalogMoved):
        await rebuild(VAULTS, events, Busy(models, 10**6))
    live = (await models.catalog()).live("vaults")
    assert live is not None
    assert live.number == 2


class DiesWhileBuilding(Wrapped):
    async def create_generation(self, projection: Projection, number: int) -> Generation:
        generation = await self._store.create_generation(projection, number)

        async def create_indexes() -> None:
            raise OSError("killed")

        generation.create_indexes = create_indexes  # type: ignore[method-assign]  # on purpose
        return generation


async def test_a_rebuild_that_was_killed_leaves_the_live_one_untouched_and_its_leftovers_go_with_the_next(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    digest, live = await live_digest(models, VAULTS), (await models.catalog()).live("vaults")
    with pytest.raises(OSError, match="killed"):
        await rebuild(VAULTS, events, DiesWhileBuilding(models))
    left = [e for e in (await models.catalog()).of("vaults") if e.state == "building"]
    assert [e.number for e in left] == [2]
    assert ((await models.catalog()).live("vaults"), await live_digest(models, VAULTS)) == (live, digest)
    await follow(VAULTS, events, models)
    rebuilt = await rebuild(VAULTS, events, models)
    assert rebuilt.digest == digest
    assert [e.state for e in (await models.catalog()).of("vaults")] == ["kept", "live"]
    assert rebuilt.generation == 3, "a number is given once: who had it may still write or drop"


class Corrupts(Wrapped):
    """In the generation that is being built, the document whose place in the first batch is `place` comes out wrong."""

    def __init__(self, store: ReadModelStore, field: str, value: object) -> None:
        super().__init__(store)
        self.field, self.value, self.id = field, value, ""

    async def create_generation(self, projection: Projection, number: int) -> Generation:
        generation = await self._store.create_generation(projection, number)
        apply = generation.apply

        async def corrupting(rows: Sequence[Row], held: Checkpoint, new: Checkpoint) -> None:
            changed = list(rows)
            if rows and not self.id:
                self.id = max(row.id for row in rows)
            for place, row in enumerate(changed):
                if row.id == self.id:
                    wrong = structs.replace(row.document, **{self.field: self.value})
                    changed[place] = row._replace(document=wrong)
            await apply(changed, held, new)

        generation.apply = corrupting  # type: ignore[method-assign]  # on purpose
        return generation


@pytest.mark.parametrize(
    ("projection", "field", "value", "said"),
    [
        (VAULTS, "available_balance", 77, "available_balance of {id} is 77, the facts say "),
        (VAULTS, "deposit_count", 10**6, "deposit_count of {id} is 1000000, the facts say "),
        (VAULTS, "last_signature", "another", "last_signature of {id} is 'another', the facts say 'signature-"),
        (VAULTS, "mint", None, "mint of {id} is None, the facts say 'mint'"),
        (TRANSACTIONS, "counterparty", "nobody", "counterparty of {id} is 'nobody', the facts say "),
        (TRANSACTIONS, "kind", "initialize", "kind of {id} is 'initialize', the facts say "),
        (TRANSACTIONS, "recorded_position", 99_999, "recorded_position of {id} is 99999, the facts say "),
    ],
)
async def test_a_document_that_is_not_what_the_facts_say_is_named_and_nothing_is_flipped(
    models: ReadModelStore, events: IngestStore, projection: Projection, field: str, value: object, said: str
) -> None:
    append(events, FACTS)
    await follow(projection, events, models)
    before = await live_digest(models, projection)
    live = (await models.catalog()).live(projection.name)
    store = Corrupts(models, field, value)
    with pytest.raises(VerificationFailed) as failed:
        await rebuild(projection, events, store, batch=10_000)
    assert said.format(id=store.id) in str(failed.value)
    assert "nothing was flipped" in str(failed.value)
    assert " of 64, vault vault-" in str(failed.value), "the slice is named"
    assert ((await models.catalog()).live(projection.name), await live_digest(models, projection)) == (live, before)


class Miscounts(Wrapped):
    """A document too many, or one that was lost."""

    def __init__(self, store: ReadModelStore, *, lose: bool) -> None:
        super().__init__(store)
        self.lose = lose

    async def create_generation(self, projection: Projection, number: int) -> Generation:
        generation = await self._store.create_generation(projection, number)
        apply = generation.apply

        async def miscounting(rows: Sequence[Row], held: Checkpoint, new: Checkpoint) -> None:
            changed = [row for row in rows if not self.lose or row.id != "vault-0003"]
            if rows and not self.lose:
                changed.append(rows[0]._replace(id="vault-9999"))
            await apply(changed, held, new)

        generation.apply = miscounting  # type: ignore[method-assign]  # on purpose
        return generation


@pytest.mark.parametrize(
    ("lose", "said"), [(True, "document vault-0003 is missing"), (False, "there are 8 documents, the facts make 7")]
)
async def test_a_document_too_few_or_too_many_is_named_and_nothing_is_flipped(
    models: ReadModelStore, events: IngestStore, lose: bool, said: str
) -> None:
    append(events, FACTS)
    with pytest.raises(VerificationFailed, match=said):
        await rebuild(VAULTS, events, Miscounts(models, lose=lose))
    assert (await models.catalog()).live("vaults") is None


async def test_a_rebuild_replaces_a_live_generation_that_was_corrupted(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    await rebuild(VAULTS, events, Wrapped(models))
    right = await live_digest(models, VAULTS)
    generation = await models.open_generation(VAULTS, 1)
    held = await generation.checkpoint()
    (row,) = (await generation.get(["vault-0002"])).values()
    wrong = row._replace(position=row.position + 1, document=structs.replace(row.document, total_balance=1))
    await generation.apply([wrong], held, held)
    await generation.close()
    assert await live_digest(models, VAULTS) != right
    assert (await rebuild(VAULTS, events, models)).digest == right
    assert await live_digest(models, VAULTS) == right


async def test_a_rebuild_replaces_a_live_generation_that_was_lost(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    await rebuild(VAULTS, events, models)
    await models.drop_generation(VAULTS, 1)
    assert await rebuild(VAULTS, events, models) == (2, len(FACTS), await proved_digest_of(models, events))


async def proved_digest_of(models: ReadModelStore, events: IngestStore) -> str:
    return await proved_digest(VAULTS, events, models)


async def test_a_leftover_that_has_become_the_first_live_generation_meanwhile_is_not_dropped(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    number = await begin_generation(models, VAULTS)
    await (await models.create_generation(VAULTS, number)).close()

    class GoesLive(Wrapped):
        """Between the look for leftovers and their removal."""

        async def replace_catalog(self, new: Catalog) -> None:
            now = await self._store.catalog()
            if now.live("vaults") is None:
                live = GenerationEntry(number=number, version=VAULTS.version, state="live", since_s=1.0)
                await self._store.replace_catalog(now.with_generations("vaults", [live]))
            await self._store.replace_catalog(new)

    await rebuild(VAULTS, events, GoesLive(models))
    await (await models.open_generation(VAULTS, number)).close()


async def test_a_rebuild_that_began_before_the_first_live_generation_gives_way_to_it(
    models: ReadModelStore, events: IngestStore
) -> None:
    """Numbers rise with every flip, so that no number of a generation that readers saw is used twice."""
    append(events, FACTS)

    class Overtaken(DiesWhileBuilding):
        async def create_generation(self, projection: Projection, number: int) -> Generation:
            await follow(projection, events, self._store)
            return await self._store.create_generation(projection, number)

    with pytest.raises(ProjectionError, match="try again"):
        await rebuild(VAULTS, events, Overtaken(models))
    live = (await models.catalog()).live("vaults")
    assert live is not None
    assert live.number == 2
    assert (await rebuild(VAULTS, events, models)).generation == 3


async def test_rebuilds_of_all_projections_leave_each_others_generations_alone(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    for projection in PROJECTIONS.values():
        await follow(projection, events, models)
        await rebuild(projection, events, models)
    catalog = await models.catalog()
    for name in PROJECTIONS:
        assert [(e.number, e.state) for e in catalog.of(name)] == [(1, "kept"), (2, "live")]
