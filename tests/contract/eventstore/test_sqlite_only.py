"""What only a file can suffer: full, read-only, newer, or not a store at all."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eventstore.errors import FactUnreadable, NotAnEventStore, SchemaTooOld, StoreBusy, StoreUnwritable
from eventstore.facts import CoverageAdvanced, EventUndecoded, TransactionReverted
from eventstore.identity import key_of
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import Evidence
from eventstore.sqlite_backend import SQLiteBackend
from eventstore.sqlite_store import SQLiteEventStore
from tests.contract.eventstore.conftest import Deposit


def _statement(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def sqlite(store: SQLiteEventStore) -> SQLiteBackend:
    assert isinstance(store.backend, SQLiteBackend)
    return store.backend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "events.db"
    open_ingest_store(f"sqlite:///{path}").close()
    return path


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    _statement(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(NotAnEventStore):
        open_ingest_store(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["theirs"]
    connection.close()
    assert len(path.read_bytes()) == len(before)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("not a database, by any measure\n" * 100)
    with pytest.raises(NotAnEventStore):
        open_ingest_store(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("column", "value"),
    [("originator_id", "'no uuid'"), ("originator_id", "x'00'"), ("originator_version", "'one'")],
)
def test_a_key_that_is_corrupt_is_named_by_its_position(path: Path, deposit: Deposit, column: str, value: str) -> None:
    store = open_ingest_store(f"sqlite:///{path}")
    store.append([deposit(1), deposit(2)])
    _statement(path, f"UPDATE stored_events SET {column} = {value} WHERE rowid = 2")
    assert store.key_at(1) == key_of(deposit(1))
    with pytest.raises(FactUnreadable, match=f"position 2 of .* corrupt .its {column} is no .*damaged"):
        store.key_at(2)
    store.close()


@pytest.mark.parametrize("value", ["'soon'", "x'00'", "1.5"])
def test_a_time_of_recording_that_is_none_is_named_by_its_position(path: Path, deposit: Deposit, value: str) -> None:
    store = open_ingest_store(f"sqlite:///{path}")
    store.append([deposit(1)])
    _statement(path, f"UPDATE stored_events SET recorded_at_us = {value}")
    reads: list[Callable[[], object]] = [
        lambda: store.read_after(0, 9),
        lambda: store.read_vault("vault", through_position=9),
        lambda: store.append([deposit(2)]),
    ]
    for read in reads:
        with pytest.raises(FactUnreadable, match=r"position 1 of .* corrupt .its recorded_at_us is no integer"):
            read()
    assert store.last_position() == 1
    store.close()


def test_a_full_store_says_so_keeps_what_it_had_and_goes_on_when_there_is_room(path: Path) -> None:
    store = SQLiteEventStore(path)
    evidence = [Evidence(f"s{n}", n, 0, 0, bytes(range(256)) * 40, "node") for n in range(2_000)]
    store.append([], evidence[:1])
    with sqlite(store).datastore.get_connection(commit=True) as connection:
        connection.cursor().execute("PRAGMA max_page_count = 20")
    with pytest.raises(StoreUnwritable, match="full"):
        store.append([], evidence)
    assert store.sample_inclusion(10_000, settled=False) == ("s0", 0)
    with sqlite(store).datastore.get_connection(commit=True) as connection:
        connection.cursor().execute("PRAGMA max_page_count = 1000000")
    store.append([], evidence)
    assert store.sample_inclusion(10_000, settled=False) == ("s1999", 1_999)
    store.close()


def test_a_writer_that_waits_too_long_for_the_lock_says_so(path: Path) -> None:
    store = SQLiteEventStore(path)
    store.append([], [])
    with sqlite(store).datastore.get_connection(commit=True) as connection:
        connection.cursor().execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        store.append([], [Evidence("s", 1, 0, 0, b"", "node")])
    other.execute("ROLLBACK")
    store.append([], [Evidence("s", 1, 0, 0, b"", "node")])
    assert store.sample_inclusion(1, settled=False) == ("s", 1)
    other.close()
    store.close()


def test_every_connection_waits_for_the_disk_before_a_transaction_counts(path: Path) -> None:
    store = SQLiteEventStore(path)
    with store.backend.reading() as t:
        assert t.rows("PRAGMA synchronous")[0][0] == 2, "FULL"
    store.close()


def test_a_store_of_the_first_version_is_migrated_with_all_that_it_holds(path: Path) -> None:
    store = SQLiteEventStore(path)
    store.append([], [Evidence("s", 1, 0, 0, b"{}", "node")])
    store.close()
    _statement(path, "DROP VIEW facts")  # what version 1 did not have, as the next ones
    for table in ("unsettled", "reverts", "gaps", "signatures", "contested", "backfill"):
        _statement(path, f"DROP TABLE {table}")
    _statement(path, "ALTER TABLE evidence DROP COLUMN quality")
    _statement(path, "PRAGMA user_version = 1")
    with pytest.raises(SchemaTooOld):
        open_fact_reader(f"sqlite:///{path}")
    migrated = SQLiteEventStore(path)
    assert (migrated.sample_inclusion(1, settled=False), migrated.last_position()) == (("s", 1), 0)
    migrated.close()
    open_fact_reader(f"sqlite:///{path}").close()


def test_a_store_that_had_no_index_of_contested_signatures_gets_it_by_migration(path: Path) -> None:
    store = SQLiteEventStore(path)
    said: dict[str, Any] = {
        "transaction_index": 0,
        "ordinal": 0,
        "revision": 0,
        "block_time": None,
        "reason": "",
        "data": b"",
    }
    decodes = [EventUndecoded(signature="s", slot=slot, **said) for slot in (10, 20)]
    epoch = store.acquire_lease("the test")
    store.append([decodes[0]])
    for slot in (5, 15):
        store.record_page(epoch, store.next_walk(slot), [], None, met_floor=True)
        store.append([CoverageAdvanced(through_slot=slot, block_time=None, blockhash=None)], epoch=epoch)
        store.append([decodes[1]])
    before = (store.read_contested("s", through_position=100), store.progress(), store.last_coverage())
    assert len(before[0]) == 4
    store.close()
    for table in ("signatures", "contested", "backfill"):
        _statement(path, f"DROP TABLE {table}")
    _statement(path, "ALTER TABLE evidence DROP COLUMN quality")
    _statement(path, "PRAGMA user_version = 3")
    migrated = SQLiteEventStore(path)
    assert (migrated.read_contested("s", through_position=100), migrated.progress(), migrated.last_coverage()) == before
    migrated.append([TransactionReverted(signature="s", slot=10, times=1, blockhash=None)])
    assert len(migrated.read_contested("s", through_position=100)) == 5
    migrated.close()
