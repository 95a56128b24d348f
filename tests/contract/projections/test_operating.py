"""What an operator does beside rebuilding: goes back, goes on, waits, looks; and each change is a fact."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from eventstore.facts import EventDiscarded, OperatorActed, TransactionReverted
from eventstore.open import open_ingest_store
from eventstore.port import IngestStore
from projections.catalog import begin_generation
from projections.errors import (
    CatalogMoved,
    CheckpointUnknown,
    GenerationBehind,
    GenerationGone,
    NoSuchGeneration,
    NothingParked,
    ReadModelsDiffer,
    Unprojectable,
    VerificationFailed,
)
from projections.operating import Operator, parked_fact, parked_of, verify_live
from projections.projection import Projection
from projections.projector import Projector
from projections.read_models import StoreReadModels
from projections.rebuild import Rebuild, Rebuilt
from projections.registry import PROJECTIONS
from projections.store import Generation, ReadModelStore, Row
from projections.vaults import VAULTS
from tests.contract.projections.conftest import Opener
from tests.contract.projections.test_poison import FACTS, POISON, poisoned
from tests.unit.projections.following import (
    PACE,
    append,
    eventually,
    follow,
    live_generation,
    live_position,
    proved_digest,
    rebuild,
    running,
)

EACH = pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=lambda p: p.name)


def quiet(phase: str, done: int, of: int) -> None:
    pass


@pytest.fixture
def operator(models: ReadModelStore, events: IngestStore) -> Operator:
    return Operator("somebody@here", events, models, 50, quiet)


def acts(events: IngestStore) -> list[tuple[str, str, str | None]]:
    facts = [stored.fact for stored in events.read_after(0, 10_000)]
    return [(f.action, f.subject, f.reason) for f in facts if isinstance(f, OperatorActed)]


async def states(models: ReadModelStore, projection: Projection) -> list[tuple[int, str]]:
    return [(e.number, e.state) for e in (await models.catalog()).of(projection.name)]


async def rebuild_with(
    models: ReadModelStore, events: IngestStore, projection: Projection = VAULTS, **asked: bool
) -> Rebuilt:
    return await Rebuild(projection, events, models, 50, quiet).run(**asked)


@EACH
async def test_a_rebuild_that_is_not_to_flip_waits_proved_and_a_flip_goes_to_it_up_to_date(
    models: ReadModelStore, events: IngestStore, operator: Operator, projection: Projection
) -> None:
    append(events, FACTS[:300])
    await follow(projection, events, models)
    await rebuild_with(models, events, projection, flips=False)
    assert await states(models, projection) == [(1, "live"), (2, "ready")]
    append(events, FACTS[300:])
    await follow(projection, events, models)
    assert await operator.flip(projection) == 2
    assert await states(models, projection) == [(1, "kept"), (2, "live")]
    assert ("flip", f"{projection.name} to generation 2", None) in acts(events)
    await proved_digest(projection, events, models)


async def test_a_generation_that_was_damaged_after_its_proof_is_not_flipped_to(
    models: ReadModelStore, events: IngestStore, operator: Operator
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    await rebuild_with(models, events, flips=False)
    generation = await models.open_generation(VAULTS, 2)
    await corrupt(generation)
    await generation.close()
    with pytest.raises(VerificationFailed, match=r"total_balance of vault-0001 is 7, the facts say"):
        await operator.flip(VAULTS)
    assert await states(models, VAULTS) == [(1, "live"), (2, "ready")]
    assert acts(events) == []


async def corrupt(generation: Generation) -> None:
    """As by a bug or a hand: without a fact."""
    row = (await generation.get(["vault-0001"]))["vault-0001"]
    held = await generation.checkpoint()
    wrong = structs.replace(row.document, total_balance=7)
    await generation.apply([Row(row.id, row.position + 1, wrong)], held, held)


@EACH
async def test_a_rollback_goes_back_to_the_generation_before_which_was_followed_and_no_reader_goes_back(
    models: ReadModelStore, events: IngestStore, operator: Operator, open_models: Opener, projection: Projection
) -> None:
    append(events, FACTS[:300])
    await follow(projection, events, models)
    await rebuild(projection, events, models)
    append(events, FACTS[300:])
    kept = await models.open_generation(projection, 1)

    async def kept_follows() -> bool:
        return (await kept.checkpoint()).position == events.last_position()

    reader, seen = StoreReadModels(open_models), []
    async with running(projection, events, models):
        await eventually(kept_follows, "the kept generation follows")
        seen.append(await reader.meta(projection.name))
        assert await operator.roll_back(projection, although_behind=False) == 1

        async def rolled_back() -> bool:
            seen.append(await reader.meta(projection.name))
            return (seen[-1].generation, seen[-1].position) == (1, events.last_position())

        await eventually(rolled_back, "readers see the generation before, with all there is")
    await reader.close()
    await kept.close()
    positions = [meta.position for meta in seen]
    assert positions == sorted(positions)
    assert await states(models, projection) == [(1, "live"), (2, "kept")]
    assert acts(events) == [("rollback", f"{projection.name} to generation 1", None)]
    await proved_digest(projection, events, models)
    assert await operator.roll_back(projection, although_behind=False) == 2, "and forth again"


async def test_a_kept_generation_is_never_ahead_of_the_live_one(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS[:200])
    await follow(VAULTS, events, models)
    await rebuild(VAULTS, events, models)
    kept, live = await models.open_generation(VAULTS, 1), await live_generation(models, VAULTS)
    done = False
    async with running(VAULTS, events, models, PACE._replace(batch=7)):
        append(events, FACTS[200:])
        while not done:
            position = (await kept.checkpoint()).position
            assert position <= (await live.checkpoint()).position
            done = position == events.last_position()
            await asyncio.sleep(0)
    await kept.close()
    await live.close()


async def test_a_generation_of_another_version_is_gone_back_to_only_if_told(
    models: ReadModelStore, events: IngestStore, operator: Operator
) -> None:
    append(events, FACTS[:300])
    await follow(VAULTS, events, models)
    newer = replace(VAULTS, version=VAULTS.version + 1)
    await rebuild(newer, events, models)
    append(events, FACTS[300:])
    await follow(newer, events, models)
    with pytest.raises(GenerationBehind, match=r"generation 1 of vaults stands at position 300, the live one at"):
        await operator.roll_back(newer, although_behind=False)
    assert await operator.roll_back(newer, although_behind=True) == 1
    assert await states(models, VAULTS) == [(1, "live"), (2, "kept")]


async def test_there_must_be_something_to_flip_or_go_back_to_or_drop(
    models: ReadModelStore, events: IngestStore, operator: Operator
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    for attempt in (operator.flip(VAULTS), operator.roll_back(VAULTS, although_behind=True), operator.drop(VAULTS, 1)):
        with pytest.raises(NoSuchGeneration, match="see vault-projector generations"):
            await attempt
    assert acts(events) == []
    assert await states(models, VAULTS) == [(1, "live")]


async def test_a_kept_generation_can_be_dropped_before_its_grace_is_over(
    models: ReadModelStore, events: IngestStore, operator: Operator
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    await rebuild(VAULTS, events, models)
    await operator.drop(VAULTS, 1)
    assert await states(models, VAULTS) == [(2, "live")]
    with pytest.raises(GenerationGone):
        await models.open_generation(VAULTS, 1)


async def test_a_paused_projector_applies_nothing_until_it_is_resumed(
    models: ReadModelStore, events: IngestStore, operator: Operator
) -> None:
    append(events, FACTS[:200])
    async with running(VAULTS, events, models):

        async def followed() -> bool:
            return await live_position(models, VAULTS) == events.last_position()

        await eventually(followed, "it follows")
        await operator.pause(VAULTS, "maintenance")
        paused_at = events.last_position()
    append(events, FACTS[200:])
    began_s = await beat(models)
    async with running(VAULTS, events, models):

        async def alive() -> bool:
            return await beat(models) > began_s

        await eventually(alive, "it is alive")
        assert await live_position(models, VAULTS) <= paused_at
        await operator.resume(VAULTS)
        await eventually(followed, "it goes on")
    assert acts(events) == [("pause", "vaults", "maintenance"), ("resume", "vaults", None)]


async def beat(models: ReadModelStore) -> float:
    generation = await live_generation(models, VAULTS)
    try:
        return await generation.heartbeat_s()
    finally:
        await generation.close()


async def test_what_is_parked_is_tried_again_by_the_projector_when_the_operator_wants_it(
    models: ReadModelStore, events: IngestStore, operator: Operator
) -> None:
    append(events, FACTS)
    await follow(poisoned(VAULTS), events, models)
    (parked,) = await parked_of(models, VAULTS)
    assert parked_fact(events, parked).fact == POISON
    assert await operator.retry(VAULTS) == 1

    async def mended() -> bool:
        return await parked_of(models, VAULTS) == ()

    async with running(VAULTS, events, models):
        await eventually(mended, "nothing is parked")
    await proved_digest(VAULTS, events, models)
    assert await operator.retry(VAULTS) == 0
    assert acts(events) == [("parked retry", "vaults", None)]


async def test_a_discard_names_the_event_the_vault_and_the_reason(
    models: ReadModelStore, events: IngestStore, operator: Operator
) -> None:
    append(events, FACTS)
    await follow(poisoned(VAULTS), events, models)
    with pytest.raises(NothingParked, match="'vault-9999' is parked in vaults"):
        await operator.discard(VAULTS, "vault-9999", "why")
    parked = await operator.discard(VAULTS, POISON.vault, "never mind")
    discarded = events.read_after(0, 10_000)[-1].fact
    assert isinstance(discarded, EventDiscarded)
    assert (discarded.key, discarded.vault, discarded.projection, discarded.reason, discarded.operator) == (
        parked.key,
        POISON.vault,
        "vaults",
        "never mind",
        "somebody@here",
    )
    await follow(poisoned(VAULTS), events, models)
    assert await parked_of(models, VAULTS) == ()


@EACH
async def test_the_live_generation_is_verified_while_it_is_followed(
    models: ReadModelStore, events: IngestStore, projection: Projection
) -> None:
    append(events, FACTS[:200])
    await follow(projection, events, models)
    left = FACTS[200:]

    def arriving(phase: str, done: int, of: int) -> None:
        append(events, left[:5])
        del left[:5]

    async with running(projection, events, models):
        number, found = await verify_live(projection, events, models, arriving)
    assert number == 1
    assert found.compared > 0 or projection.name == "coverage"


async def test_the_first_difference_of_a_corrupted_live_generation_is_named(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS[:300])
    await follow(VAULTS, events, models)
    generation = await live_generation(models, VAULTS)
    await corrupt(generation)
    await generation.close()
    with pytest.raises(ReadModelsDiffer, match=r"total_balance of vault-0001 is 7, .*run vault-projector rebuild"):
        await verify_live(VAULTS, events, models, quiet)


async def test_vaults_that_are_parked_are_no_difference(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    await follow(poisoned(VAULTS), events, models)
    _, found = await verify_live(VAULTS, events, models, quiet)
    assert (found.compared, found.moved) == (6, 0)


class Killed(Exception):
    pass


def killer(after: int) -> Callable[[str, int, int], None]:
    """Ends a rebuild at its so-and-so-many-th word."""
    words = iter(range(after + 1))

    def report(phase: str, done: int, of: int) -> None:
        if next(words) == after:
            raise Killed

    return report


@EACH
@pytest.mark.parametrize("after", [0, 1, 4, 8])
async def test_a_rebuild_that_was_killed_is_gone_on_with_where_it_was(
    models: ReadModelStore, events: IngestStore, projection: Projection, after: int
) -> None:
    append(events, FACTS)
    untouched = (await rebuild(projection, events, models)).digest
    with pytest.raises(Killed):
        await Rebuild(projection, events, models, 50, killer(after)).run()
    resumed = await rebuild_with(models, events, projection, resume=True)
    assert (resumed.generation, resumed.digest) == (2, untouched)
    assert resumed.events < len(FACTS)
    assert await states(models, projection) == [(1, "kept"), (2, "live")]


async def test_a_resumed_rebuild_sees_what_fell_meanwhile(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    with pytest.raises(Killed):
        await Rebuild(VAULTS, events, models, 50, killer(4)).run()
    append(events, [TransactionReverted(signature=POISON.signature, slot=POISON.slot, times=1, blockhash=None)])
    resumed = await rebuild_with(models, events, resume=True)
    assert resumed.digest == await proved_digest(VAULTS, events, models)
    assert resumed.digest == (await rebuild(VAULTS, events, models)).digest


async def test_what_was_made_from_another_event_store_is_neither_gone_on_with_nor_flipped_to(
    models: ReadModelStore, events: IngestStore, tmp_path: Path
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    await rebuild_with(models, events, flips=False)
    restored = open_ingest_store(f"sqlite:///{tmp_path}/restored.db")
    append(restored, FACTS[:200])
    for flip_or_go_back in (
        Operator("somebody@here", restored, models, 50, quiet).flip(VAULTS),
        Projector(VAULTS, restored, models, PACE).run(asyncio.Event()),
    ):
        with pytest.raises(CheckpointUnknown, match="the store was replaced or restored; run vault-projector rebuild"):
            await flip_or_go_back
    assert await states(models, VAULTS) == [(1, "live"), (2, "ready")]
    assert (await rebuild_with(models, restored, resume=True)).events == 200, "it has begun anew"
    restored.close()


async def test_with_nothing_to_go_on_with_a_resumed_rebuild_begins_anew(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    older = replace(VAULTS, version=VAULTS.version - 1)
    with pytest.raises(Killed):
        await Rebuild(older, events, models, 50, killer(2)).run()
    assert (await rebuild_with(models, events, resume=True)).events == len(FACTS)
    await begin_generation(models, VAULTS)  # killed before there was anything of it
    assert (await rebuild_with(models, events, resume=True)).events == len(FACTS)
    assert [state for _, state in await states(models, VAULTS)] == ["kept", "live"]


async def test_what_a_rebuild_left_can_be_dropped(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    with pytest.raises(Killed):
        await Rebuild(VAULTS, events, models, 50, killer(2)).run()
    work = Rebuild(VAULTS, events, models, 50, quiet)
    assert (await work.cancel(), await work.cancel()) == ([2], [])
    assert await states(models, VAULTS) == [(1, "live")]
    with pytest.raises(GenerationGone):
        await models.open_generation(VAULTS, 2)


async def test_a_generation_that_was_cancelled_meanwhile_is_not_flipped_to(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)

    class CancelledMeanwhile:
        cancelled = False

        def __getattr__(self, name: str) -> Any:
            return getattr(models, name)

        async def open_generation(self, projection: Projection, number: int) -> Any:
            return await models.open_generation(projection, number)

        async def catalog(self) -> Any:
            catalog = await models.catalog()
            if not self.cancelled and any(e.state == "ready" for e in catalog.of("vaults")):
                self.cancelled = True
                await Rebuild(VAULTS, events, models, 50, quiet).cancel()
                return await models.catalog()
            return catalog

    store: Any = CancelledMeanwhile()
    with pytest.raises(CatalogMoved):
        await Rebuild(VAULTS, events, store, 50, quiet).run()
    assert await states(models, VAULTS) == [(1, "live")]


async def test_a_kept_generation_follows_past_poison(models: ReadModelStore, events: IngestStore) -> None:
    """What the live one could apply may stop a vault of the kept one: only that one."""
    append(events, FACTS[:100])
    await follow(VAULTS, events, models)
    await rebuild(VAULTS, events, models)
    append(events, FACTS[100:])
    kept = await models.open_generation(VAULTS, 1)

    async def kept_follows() -> bool:
        return (await kept.checkpoint()).position == events.last_position()

    async with running(poisoned(VAULTS), events, models):
        await eventually(kept_follows, "the kept generation follows")
    assert [one.vault for one in (await kept.checkpoint()).parked] == [POISON.vault]
    await kept.close()
    with pytest.raises(Unprojectable):
        await rebuild(poisoned(VAULTS), events, models)
