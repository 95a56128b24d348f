"""The PostgreSQL server dies in the middle of things and comes back: nothing lost, nothing doubled."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from eventstore.errors import StoreUnreachable
from eventstore.facts import CoverageAdvanced, Deposited
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import FactReader, StoredFact
from eventstore.reader import StoreReader
from localpostgres.server import PostgresServer

INDEXER = Path(__file__).with_name("index_until_told.py")
DEATHS = 4
FACTS_BETWEEN = 60
DEADLINE_S = 30.0


class Follower:
    """A reader that goes on through every death of its server."""

    def __init__(self, reader: FactReader) -> None:
        self.reader = reader
        self.facts: list[StoredFact] = []
        self.errors = 0

    def follow(self, until: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not until():
            assert time.monotonic() < deadline_s, len(self.facts)
            try:
                self.facts += self.reader.read_after(self.facts[-1].position if self.facts else 0, 1_000)
            except StoreUnreachable:
                self.errors += 1


def test_a_server_killed_under_load_loses_nothing_and_doubles_nothing(
    postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = postgres.new_database()
    open_ingest_store(url).close()
    follower = Follower(open_fact_reader(url))
    command = [sys.executable, str(INDEXER), url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as indexer:
        for death in range(DEATHS):
            enough = len(follower.facts) + FACTS_BETWEEN
            follower.follow(lambda enough=enough: len(follower.facts) >= enough)  # type: ignore[misc]
            die = postgres.kill if death % 2 else postgres.stop_at_once
            die()
            postgres.run()
        enough = len(follower.facts) + FACTS_BETWEEN
        follower.follow(lambda: len(follower.facts) >= enough)
        said, _ = indexer.communicate(timeout=DEADLINE_S)
    assert indexer.returncode == 0
    slots, errors = map(int, said.split())
    follower.follow(lambda: len(follower.facts) >= 2 * slots)

    deposits = [stored.fact.slot for stored in follower.facts if isinstance(stored.fact, Deposited)]
    covered = [stored.fact.through_slot for stored in follower.facts if isinstance(stored.fact, CoverageAdvanced)]
    lost, doubled = len(set(range(1, slots + 1)) - set(deposits)), len(deposits) - len(set(deposits))
    with capsys.disabled():
        sys.stdout.write(f"\n{DEATHS} deaths of PostgreSQL: {slots} slots indexed, {lost} lost, {doubled} doubled;")
        sys.stdout.write(f" {errors} calls of the indexer and {follower.errors} of the reader were repeated\n")
    assert deposits == covered == list(range(1, slots + 1))
    assert errors >= DEATHS
    assert follower.errors >= DEATHS
    with cast(StoreReader, follower.reader).backend.reading() as t:
        assert t.rows("SELECT COUNT(*), COUNT(DISTINCT slot) FROM evidence")[0] == (slots, slots)
        assert t.rows("SELECT COUNT(*) FROM vault_index")[0] == (slots,)
    follower.reader.close()
    store = open_ingest_store(url)
    assert store.progress() == (slots, (), 0, slots, 0, slots, slots)
    assert store.acquire_lease("the next") == 2, "the first indexer kept its epoch through all of it"
    store.close()
