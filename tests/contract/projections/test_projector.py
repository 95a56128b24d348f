"""A projector on real stores: it follows, through flips and restarts, and refuses what it cannot go on from."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from msgspec import structs

from eventstore.errors import StoreUnreachable
from eventstore.facts import CoverageAdvanced, Fact
from eventstore.identity import FactKey, vaults_of
from eventstore.open import open_ingest_store
from eventstore.port import FactReader, IngestStore, StoredFact
from projections.catalog import begin_generation, change_catalog
from projections.errors import CheckpointUnknown, GenerationGone, GenerationOfOtherVersion
from projections.open import open_store
from projections.projection import Projection
from projections.projector import Pace, Projector
from projections.registry import PROJECTIONS
from projections.store import Checkpoint, Generation, ReadModelStore
from projections.vaults import VAULTS
from tests.simulation.virtual_time import VirtualTimeLoop
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
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=400, vaults=7)
EACH = pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=lambda p: p.name)


async def checkpoint_of(models: ReadModelStore) -> Checkpoint:
    generation = await live_generation(models, VAULTS)
    checkpoint = await generation.checkpoint()
    await generation.close()
    return checkpoint


async def run_alone(projection: Projection, facts: FactReader, models: ReadModelStore, pace: Pace = PACE) -> None:
    """Until it stops by itself."""
    async with asyncio.timeout(20):
        await Projector(projection, facts, models, pace).run(asyncio.Event())


async def drop_old(models: ReadModelStore, events: IngestStore) -> None:
    async def dropped() -> bool:
        return (await models.catalog()).entry("vaults", 1) is None

    async with running(VAULTS, events, models, PACE._replace(grace_s=0.0)):
        await eventually(dropped, "the old generation is dropped")


async def test_it_makes_the_first_generation_and_says_that_it_is_alive_before_there_is_any_fact(
    models: ReadModelStore, events: IngestStore
) -> None:
    async def alive() -> bool:
        if (await models.catalog()).live("vaults") is None:
            return False
        generation = await live_generation(models, VAULTS)
        heartbeat_s = await generation.heartbeat_s()
        await generation.close()
        return heartbeat_s > 0

    async with running(VAULTS, events, models):
        await eventually(alive, "a heartbeat")
    live = (await models.catalog()).live("vaults")
    assert live is not None
    assert (live.number, live.version, await live_position(models, VAULTS)) == (1, VAULTS.version, 0)


async def test_it_follows_what_is_appended_while_it_runs_and_every_projection_moves(
    models: ReadModelStore, events: IngestStore
) -> None:
    async with AsyncExitStack() as all_running:
        for projection in PROJECTIONS.values():
            await all_running.enter_async_context(running(projection, events, models))
        for start in range(0, len(FACTS), 60):
            append(events, FACTS[start : start + 60])
            for projection in PROJECTIONS.values():

                async def followed(projection: Projection = projection) -> bool:
                    return await live_position(models, projection) == events.last_position()

                await eventually(followed, f"{projection.name} follows")
    for projection in PROJECTIONS.values():
        await proved_digest(projection, events, models)


async def test_the_checkpoint_names_its_fact_the_highest_slot_and_the_coverage_that_was_passed(
    models: ReadModelStore, events: IngestStore
) -> None:
    in_order = [f for f in FACTS if vaults_of(f)]
    append(events, in_order[::-1])
    await follow(VAULTS, events, models)
    before = await checkpoint_of(models)
    assert (before.slot, before.complete_through_slot) == (in_order[-1].slot, None)  # type: ignore[union-attr]  # of a chain
    epoch = events.acquire_lease("the test")
    events.record_page(epoch, events.next_walk(40), [], None, met_floor=True)
    events.append([CoverageAdvanced(through_slot=30, block_time=None, blockhash=None)], epoch=epoch)
    events.append([CoverageAdvanced(through_slot=40, block_time=None, blockhash=None)], epoch=epoch)
    await follow(VAULTS, events, models)
    after = await checkpoint_of(models)
    assert (after.position, after.slot, after.complete_through_slot) == (events.last_position(), before.slot, 40)
    assert after.key is not None
    assert after.key != before.key


async def test_it_can_be_stopped_and_shares_its_loop_while_there_is_a_long_way_to_go(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    turns: list[str] = []

    class Counted:
        """Says whose turn it was, and that there is always more."""

        def __init__(self, name: str) -> None:
            self.name = name

        def __getattr__(self, name: str) -> object:
            return getattr(events, name)

        def read_after(self, position: int, limit: int) -> list[StoredFact]:
            turns.append(self.name)
            assert len(turns) < 1_000, "it does not let others have a turn"
            return events.read_after(position % 100, 1)

    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(Projector(p, Counted(p.name), models, PACE).run(stop))  # type: ignore[arg-type]  # delegated
        for p in PROJECTIONS.values()
    ]

    async def both_moved() -> bool:
        return {"vaults", "transactions"} <= set(turns)

    await eventually(both_moved, "both have their turns")
    stop.set()
    await asyncio.gather(*tasks)


@EACH
@pytest.mark.parametrize("batch", [37, 10_000])
async def test_facts_that_documents_include_already_are_not_applied_again_when_the_checkpoint_was_not_written(
    models: ReadModelStore, events: IngestStore, projection: Projection, batch: int
) -> None:
    append(events, FACTS[:200])
    await follow(projection, events, models)
    generation = await live_generation(models, projection)
    await generation.apply([], await generation.checkpoint(), Checkpoint())  # as if killed just before
    await generation.close()
    append(events, FACTS[200:])
    await follow(projection, events, models, PACE._replace(batch=batch))
    await proved_digest(projection, events, models)


def emptied(facts: Sequence[Fact]) -> Sequence[Fact]:
    return []


def restored(facts: Sequence[Fact]) -> Sequence[Fact]:
    """From a back-up that lacks the last facts."""
    return facts[:-5]


def replaced(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Another chain's: as many facts, and more."""
    return random_history(steps=500, vaults=3, seed=9)


@pytest.mark.parametrize("loss", [emptied, restored, replaced])
async def test_an_event_store_that_lost_the_checkpoints_fact_stops_it_and_a_rebuild_is_the_way_out(
    models: ReadModelStore, events: IngestStore, tmp_path: Path, loss: Callable[[Sequence[Fact]], Sequence[Fact]]
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    position = events.last_position()
    other = open_ingest_store(f"sqlite:///{tmp_path}/other.db")
    append(other, loss(FACTS))
    with pytest.raises(
        CheckpointUnknown, match=f"position {position} .* run vault-projector rebuild --projection vaults"
    ):
        await run_alone(VAULTS, other, models)
    assert await live_position(models, VAULTS) == position
    async with asyncio.timeout(20):
        rebuilt = await rebuild(VAULTS, other, models)
    assert rebuilt.digest == await proved_digest(VAULTS, other, models)
    assert await live_position(models, VAULTS) == other.last_position()
    other.close()


async def test_an_event_store_that_is_replaced_by_another_reader_stops_a_running_projector(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)

    class Lost:
        def __getattr__(self, name: str) -> object:
            return getattr(events, name)

        def key_at(self, position: int) -> FactKey | None:
            return None if position > 100 else events.key_at(position)

    with pytest.raises(CheckpointUnknown):
        await asyncio.wait_for(Projector(VAULTS, Lost(), models, PACE).run(asyncio.Event()), 20)  # type: ignore[arg-type]


class Faltering:
    """A reader whose store goes out of reach again and again, for four calls."""

    def __init__(self, facts: FactReader) -> None:
        self._facts, self._calls = facts, 0

    def __getattr__(self, name: str) -> Any:
        whole = getattr(self._facts, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._calls += 1
            if self._calls % 24 in (3, 4, 5, 6):
                raise StoreUnreachable("PostgreSQL", "the server closed the connection")
            return whole(*arguments, **options)

        return call


def test_an_event_store_that_is_out_of_reach_is_waited_for_and_nothing_is_left_out(events_url: str, url: str) -> None:
    events = open_ingest_store(events_url)
    append(events, FACTS)

    async def project() -> None:
        models, stop = open_store(url, create=True), asyncio.Event()
        projector = Projector(VAULTS, Faltering(events), models, PACE._replace(batch=50))
        running = asyncio.create_task(projector.run(stop))
        while await live_position_or_none(models) != events.last_position():
            assert not running.done(), running.exception()
            await asyncio.sleep(1)
        stop.set()
        await running
        await models.close()

    with structlog.testing.capture_logs() as logs, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(project())
    waits = [line for line in logs if line["event"] == "waiting"]
    assert {line["log_level"] for line in waits} == {"warning"}
    assert [line["retry_s"] for line in waits[:5]] == [0.05, 0.2, 0.5, 1.0, 0.05]
    events.close()


async def live_position_or_none(models: ReadModelStore) -> int | None:
    return None if (await models.catalog()).live("vaults") is None else await live_position(models, VAULTS)


async def test_only_the_version_that_made_a_generation_writes_it_and_a_rebuild_moves_on(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    newer = replace(VAULTS, version=VAULTS.version + 1)
    with pytest.raises(GenerationOfOtherVersion, match="made by version 3 of the projection, this is version 4: run"):
        await run_alone(newer, events, models)
    await rebuild(newer, events, models)
    await follow(newer, events, models)
    with pytest.raises(GenerationOfOtherVersion):
        await run_alone(VAULTS, events, models)


async def test_a_kept_generation_is_dropped_when_its_grace_is_over_and_not_before(
    models: ReadModelStore, events: IngestStore, url: str
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    await rebuild(VAULTS, events, models)
    began_s = time.time()

    async def alive() -> bool:
        generation = await live_generation(models, VAULTS)
        heartbeat_s = await generation.heartbeat_s()
        await generation.close()
        return heartbeat_s >= began_s

    async with running(VAULTS, events, models):
        await eventually(alive, "the projector has looked at the catalog")
    assert [e.state for e in (await models.catalog()).of("vaults")] == ["kept", "live"]
    await drop_old(models, events)
    assert [(e.number, e.state) for e in (await models.catalog()).of("vaults")] == [(2, "live")]
    with pytest.raises(GenerationGone):
        await models.open_generation(VAULTS, 1)


async def test_a_drop_that_was_interrupted_is_finished_by_the_next_projector(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    await follow(VAULTS, events, models)
    await rebuild(VAULTS, events, models)
    dropped: list[int] = []

    class Dying:
        """Killed at the drop."""

        def __getattr__(self, name: str) -> object:
            return getattr(models, name)

        async def drop_generation(self, projection: object, number: int) -> None:
            dropped.append(number)
            raise OSError("killed")

    with pytest.raises(OSError, match="killed"):
        await Projector(VAULTS, events, Dying(), PACE._replace(grace_s=0.0)).run(asyncio.Event())  # type: ignore[arg-type]
    assert dropped == [1]
    await drop_old(models, events)
    with pytest.raises(GenerationGone):
        await models.open_generation(VAULTS, 1)


async def test_first_generations_of_a_projector_and_a_rebuild_that_begin_at_once_are_not_mixed_up(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    theirs = await begin_generation(models, VAULTS)
    building = await models.create_generation(VAULTS, theirs)
    await building.apply([], Checkpoint(), Checkpoint(position=1))
    await follow(VAULTS, events, models)
    live = (await models.catalog()).live("vaults")
    assert live is not None
    assert live.number != theirs
    assert await building.checkpoint() == Checkpoint(position=1)
    await building.close()
    await proved_digest(VAULTS, events, models)


@pytest.mark.parametrize("leave_ours", [True, False], ids=["beside ours", "taking ours for a leftover"])
async def test_a_projector_follows_a_first_generation_that_a_rebuild_made_meanwhile(
    models: ReadModelStore, events: IngestStore, leave_ours: bool
) -> None:
    append(events, FACTS)

    class RebuildIsQuicker:
        def __getattr__(self, name: str) -> Any:
            return getattr(models, name)

        async def create_generation(self, projection: Projection, number: int) -> Generation:
            if not leave_ours:
                await rebuild(VAULTS, events, models)
                return await models.create_generation(projection, number + 10)  # ours was dropped
            theirs = await begin_generation(models, VAULTS)
            await (await models.create_generation(VAULTS, theirs)).close()
            await change_catalog(
                models,
                lambda c: c.with_generations(
                    "vaults",
                    [structs.replace(e, state="live") if e.number == theirs else e for e in c.of("vaults")],
                ),
            )
            return await models.create_generation(projection, number)

    await follow(VAULTS, events, RebuildIsQuicker())
    assert [e.state for e in (await models.catalog()).of("vaults")].count("live") == 1
    await proved_digest(VAULTS, events, models)
