"""vault-projector replay: every vault as of any point, as rows that other programs read."""

import csv
import json
from datetime import UTC, datetime

import pytest

from eventstore.facts import TransactionReverted, VaultFact
from eventstore.identity import vaults_of
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.store import EventStore
from projections.replay import position_at
from tests.integration.projections.conftest import Commands
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=200, vaults=5)
LAST = [fact for fact in FACTS if isinstance(fact, VaultFact)][-1]


@pytest.fixture(autouse=True)
def rebuilt(projector: Commands) -> None:
    events = open_ingest_store(projector.events_url)
    append(events, FACTS)
    events.close()
    assert projector.run("rebuild").code == 0


def rows(projector: Commands, *asked: str) -> dict[str, dict[str, object]]:
    done = projector.run("replay", *asked)
    assert done.code == 0, done.said
    found = [json.loads(line) for line in done.shown.splitlines()]
    return {row["vault"]: row for row in found}


def test_it_writes_every_vault_as_it_is_now_and_both_formats_say_the_same(projector: Commands) -> None:
    now = rows(projector)
    assert sorted(now) == sorted({vault for fact in FACTS for vault in vaults_of(fact)})
    assert now[LAST.vault]["totalBalance"] == str(LAST.total_balance)
    assert now[LAST.vault]["signature"] == LAST.signature
    table = csv.DictReader(projector.run("replay", "--format", "csv").shown.splitlines())
    assert [dict(row) for row in table] == [{k: str(v) for k, v in row.items()} for row in now.values()]


def test_a_point_can_be_a_slot_a_time_or_a_signature(projector: Commands) -> None:
    middle = [fact for fact in FACTS if isinstance(fact, VaultFact)][90]
    at_signature = rows(projector, "--at-signature", middle.signature)
    assert at_signature[middle.vault]["signature"] == middle.signature
    by_slot = rows(projector, "--to-slot", str(middle.slot))
    assert {row["slot"] for row in by_slot.values()} <= set(range(middle.slot + 1))
    iso = datetime.fromtimestamp(middle.timestamp, UTC).isoformat()
    assert rows(projector, "--at", str(middle.timestamp)) == rows(projector, "--at", iso) == by_slot


def test_what_was_known_before_a_revert_can_be_asked_for_after_it(projector: Commands) -> None:
    before = projector.run("replay").shown
    events = open_ingest_store(projector.events_url)
    known = events.last_position()
    append(events, [TransactionReverted(signature=LAST.signature, slot=LAST.slot, times=1, blockhash=None)])
    events.close()
    assert projector.run("rebuild").code == 0
    assert projector.run("replay").shown != before
    assert projector.run("replay", "--known-at", f"pos:{known}").shown == before
    assert "try again when they are there" in projector.refused("replay", "--known-at", "pos:100000")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--to-slot", "1", "--at", "2"), "say one of --to-slot, --at and --at-signature"),
        (("--at", "2026-01-01T00:00:00"), "say which time zone"),
        (("--at", "yesterday"), "yesterday"),
        (("--at-signature", "nobody"), "no transaction 'nobody' stood then"),
        (("--format", "xml"), "choose from ndjson, csv"),
        (("--known-at", "pos:many"), "many"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(projector: Commands, asked: tuple[str, ...], said: str) -> None:
    assert said in projector.refused("replay", *asked)


def test_a_time_of_recording_is_found_as_a_position(projector: Commands) -> None:
    store = open_ingest_store(f"sqlite:///{projector.folder}/timed.db")
    assert isinstance(store, EventStore)
    for second, start in enumerate(range(0, 100, 10)):
        store.now_s = lambda second=second: 1_000.0 + second  # type: ignore[misc]  # a default binds it
        store.append(FACTS[start : start + 10])
    facts = open_fact_reader(f"sqlite:///{projector.folder}/timed.db")
    assert [position_at(facts, 999 + second) for second in range(13)] == [0, *range(10, 101, 10), 100, 100]
    store.close()
    facts.close()
