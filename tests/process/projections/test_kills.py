"""Killed at any moment, stopped, or started twice: nothing is lost, doubled, or written by two."""

import random
import signal
import subprocess
import time
from pathlib import Path

from eventstore.open import open_ingest_store
from eventstore.port import IngestStore
from projections.registry import PROJECTIONS
from tests.process.projections.conftest import Projector, refused, wait_until
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history


def wait_until_following(process: subprocess.Popen[str]) -> None:
    """Its log says so, of each projection."""
    assert process.stderr is not None
    waiting_for = set(PROJECTIONS)
    while waiting_for:
        line = process.stderr.readline()
        assert line, "it ended"
        waiting_for -= {name for name in waiting_for if '"following"' in line and f'"{name}"' in line}


def follow_to_the_end(projector: Projector, events: IngestStore) -> dict[str, str]:
    """The digests, after a run that was left alone until it had applied everything."""
    process = projector.start("run")
    wait_until_following(process)
    for name in PROJECTIONS:
        wait_until(lambda name=name: projector.position(name) == events.last_position(), f"{name} follow")  # type: ignore[misc]  # a default binds it
    process.terminate()
    process.communicate()
    assert process.returncode == 0
    return {name: found["digest"] for name, found in projector.json("digest").items()}


def test_killed_ten_times_while_facts_arrive_it_ends_in_the_digests_of_an_untouched_run(
    projector: Projector, events: IngestStore, tmp_path: Path
) -> None:
    facts, rng = random_history(steps=4_000, vaults=30), random.Random(4)
    arriving = facts.copy()
    rng.shuffle(arriving)
    portions = [arriving[start : start + 20] for start in range(0, len(arriving), 20)]
    moved: list[int] = []
    for _ in range(10):
        process = projector.start("run", settings={"VAULT_PROJECTOR_BATCH": "10"})
        if rng.random() < 0.7:  # else it may be killed while it starts
            wait_until_following(process)
        moment_s = time.monotonic() + rng.uniform(0, 0.4)
        while time.monotonic() < moment_s:
            if portions:
                events.append(portions.pop())
        process.kill()
        assert process.wait() == -signal.SIGKILL
        moved.append(projector.position())
    assert moved == sorted(moved)
    assert moved[0] < moved[-1]
    for portion in portions:
        events.append(portion)
    survived = follow_to_the_end(projector, events)

    untouched = Projector(tmp_path / "untouched")
    in_order = open_ingest_store(untouched.events_url)
    append(in_order, facts)
    assert survived == follow_to_the_end(untouched, in_order)
    assert survived == projector.json("rebuild")["digests"]
    in_order.close()


def test_told_to_stop_it_exits_with_0_at_once_even_in_the_middle_of_a_long_way(
    projector: Projector, events: IngestStore
) -> None:
    append(events, random_history(steps=40_000, vaults=300))
    process = projector.start("run", settings={"VAULT_PROJECTOR_BATCH": "50"})
    wait_until_following(process)
    began_s = time.monotonic()
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - began_s < 2
    assert (process.returncode, '"stopped"' in said) == (0, True), said
    assert projector.position() < events.last_position()


def test_told_to_stop_while_there_is_no_event_store_it_exits_with_0(projector: Projector) -> None:
    process = projector.start("run")
    assert process.stderr is not None
    assert "start the indexer first" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0


def test_it_begins_when_the_indexer_makes_the_event_store(projector: Projector) -> None:
    process = projector.start("run")
    assert process.stderr is not None
    assert "no event store at" in process.stderr.readline()
    events = open_ingest_store(projector.events_url)
    append(events, random_history(steps=50, vaults=3))
    wait_until(lambda: projector.position() == events.last_position(), "it follows")
    events.close()


def test_a_second_run_is_refused_and_told_who_runs_while_other_projections_are_free(
    projector: Projector, events: IngestStore
) -> None:
    append(events, random_history(steps=50, vaults=3))
    first = projector.start("run", "--projection", "vaults")
    wait_until(lambda: projector.position() == events.last_position(), "the first follows")
    said = refused(projector.run("run"))
    assert "vaults is already being written by" in said
    assert f"process {first.pid}: stop it first" in said
    projector.start("run", "--projection", "transactions")
    wait_until(lambda: projector.position("transactions") == events.last_position(), "the other follows")


def test_a_standby_goes_on_where_the_one_that_ran_was_killed(projector: Projector, events: IngestStore) -> None:
    facts = random_history(steps=400, vaults=5)
    append(events, facts[:200])
    first = projector.start("run")
    wait_until_following(first)
    second = projector.start("run", "--standby")
    assert second.stderr is not None
    assert "standing_by" in second.stderr.readline()
    first.kill()
    append(events, facts[200:])
    wait_until_following(second)
    for name in PROJECTIONS:
        wait_until(lambda name=name: projector.position(name) == events.last_position(), f"{name} follow")  # type: ignore[misc]  # a default binds it
    second.terminate()
    assert second.wait(timeout=30) == 0
    third = projector.start("run")
    wait_until_following(third)
    fourth = projector.start("run", "--standby")
    assert fourth.stderr is not None
    assert "standing_by" in fourth.stderr.readline()
    fourth.terminate()
    assert fourth.wait(timeout=30) == 0, "told to stop while it waits"


def test_a_rebuild_killed_at_any_moment_leaves_the_live_one_and_the_next_one_cleans_up(
    projector: Projector, events: IngestStore
) -> None:
    append(events, random_history(steps=3_000, vaults=30))
    digests, rng = projector.json("rebuild")["digests"], random.Random(7)
    projector.start("run")
    for number in range(9):
        how = ((), ("--resume",), ("--resume", "--workers", "2"))[number % 3]
        process = projector.start("rebuild", *how, settings={"VAULT_REBUILD_BATCH": "20"})
        try:
            process.wait(timeout=rng.uniform(0.3, 1.5))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert {name: found["digest"] for name, found in projector.json("digest").items()} == digests
    wait_until(lambda: projector.run("rebuild", "--cancel").returncode == 0, "workers end with who started them")
    assert projector.json("rebuild")["digests"] == digests
    for status in projector.json("status"):
        assert status["building"] == []
    left = {path.name for path in projector.models.glob("*.db")} - {"catalog.db"}
    known = {
        f"{status['projection']}.g{number}.db"
        for status in projector.json("status")
        for number in [status["generation"], *status["kept"]]
    }
    assert left == known


def test_a_second_rebuild_is_refused_while_one_is_under_way(projector: Projector, events: IngestStore) -> None:
    append(events, random_history(steps=30_000, vaults=300))
    first = projector.start("rebuild", "--json", settings={"VAULT_REBUILD_BATCH": "5"})
    wait_until(lambda: (projector.models / "vaults.rebuild.lock").exists(), "the first has begun")
    wait_until(lambda: bool((projector.models / "vaults.rebuild.lock").read_text()), "the first says who it is")
    said = refused(projector.run("rebuild", "--projection", "vaults"))
    assert "vaults.rebuild is already being written by" in said
    assert f"process {first.pid}" in said
