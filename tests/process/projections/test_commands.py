"""What the commands print for people and for machines."""

import json
import sqlite3
from contextlib import closing

from eventstore.port import IngestStore
from projections.registry import PROJECTIONS
from tests.process.projections.conftest import Projector, refused
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=200, vaults=5)


def test_the_last_line_of_a_rebuild_says_how_much_how_fast_and_what_it_became(
    projector: Projector, events: IngestStore
) -> None:
    append(events, FACTS)
    done = projector.run("rebuild", "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()], "every line is JSON"
    last = json.loads(done.stdout.splitlines()[-1])
    assert last.keys() == {"events", "seconds", "eventsPerSecond", "generation", "digests"}
    assert last["events"] == len(FACTS) + 1, "that it was done is a fact, too"
    assert last["seconds"] > 0
    assert last["eventsPerSecond"] > 0
    assert last["generation"] == dict.fromkeys(PROJECTIONS, 1)
    assert last["digests"] == {name: found["digest"] for name, found in projector.json("digest").items()}
    assert projector.json("rebuild", "--projection", "vaults")["generation"] == {"vaults": 2}


def test_a_rebuild_tells_people_in_a_line_for_each_projection(projector: Projector, events: IngestStore) -> None:
    append(events, FACTS)
    done = projector.run("rebuild")
    assert done.returncode == 0, done.stderr
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == [
        f"{name}: generation 1 is live" for name in PROJECTIONS
    ]


def test_workers_end_in_the_same_digests_and_one_that_fails_is_told(projector: Projector, events: IngestStore) -> None:
    append(events, FACTS)
    alone = projector.json("rebuild")
    shared = projector.json("rebuild", "--workers", "2")
    assert shared.keys() == alone.keys()
    assert shared["digests"] == alone["digests"]
    assert shared["generation"] == dict.fromkeys(PROJECTIONS, 2)
    done = projector.run("rebuild", "--workers", "3", "--no-flip")
    assert sorted(line.split(",")[0] for line in done.stdout.splitlines()) == sorted(
        f"{name}: generation 3 is ready" for name in PROJECTIONS
    )
    with closing(sqlite3.connect(projector.folder / "events.db", isolation_level=None)) as store:
        store.execute("DELETE FROM vault_index WHERE position = (SELECT MAX(position) FROM vault_index)")
    said = refused(projector.run("rebuild", "--workers", "2"))
    assert "the event store's index by vault lacks the fact at position" in said


def test_status_says_for_machines_how_far_each_projection_is(projector: Projector, events: IngestStore) -> None:
    append(events, FACTS)
    projector.json("rebuild", "--projection", "vaults")
    vaults, transactions, *_ = projector.json("status")
    last = events.last_position()
    assert (vaults["projection"], vaults["generation"], vaults["position"]) == ("vaults", 1, last)
    assert (vaults["storePosition"], vaults["lagFacts"], vaults["lagS"]) == (last, 0, 0)
    assert (vaults["completeThroughSlot"], vaults["heartbeatAgeS"]) == (None, None)
    assert vaults["slot"] >= 1_000
    assert (transactions["generation"], transactions["position"], transactions["lagFacts"]) == (None, 0, last)
    assert transactions["lagS"] >= 0


def test_status_and_digest_tell_people_in_lines(projector: Projector, events: IngestStore) -> None:
    append(events, FACTS)
    projector.json("rebuild")
    status, digest = projector.run("status"), projector.run("digest")
    assert [line.split()[0] for line in status.stdout.splitlines()] == ["projection", *PROJECTIONS]
    assert [line.split()[0] for line in digest.stdout.splitlines()] == list(PROJECTIONS)
    assert f"at position {events.last_position()}" in digest.stdout


def test_digest_says_that_there_is_nothing_yet(projector: Projector, events: IngestStore) -> None:
    assert "is vault-projector running there?" in refused(projector.run("digest"))
    projector.json("rebuild", "--projection", "vaults")
    assert "transactions has no generation yet" in refused(projector.run("digest"))


def test_help_names_every_command(projector: Projector) -> None:
    done = projector.run("--help")
    assert done.returncode == 0
    for command in ("run", "rebuild", "status", "digest"):
        assert command in done.stdout
