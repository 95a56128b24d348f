"""Opening, binding and leasing a store: one chain, one program, one indexer."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eventstore.errors import (
    EventStoreError,
    LeaseHeld,
    NotAnEventStore,
    SchemaTooNew,
    SchemaTooOld,
    StoreMissing,
    StoreReplaced,
    StoreUnwritable,
    StoreUrlInvalid,
    WrongChain,
    WrongProgram,
)
from eventstore.identity import key_of
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import Binding, IngestStore
from eventstore.reader import StoreReader
from eventstore.store import EventStore
from eventstore.tables import SCHEMA_VERSION, Column, Table
from tests.contract.eventstore.conftest import Deposit, ReaderOpener


def test_a_reader_says_that_there_is_no_store_yet(url: str) -> None:
    with pytest.raises(StoreMissing, match="start the indexer first"):
        open_fact_reader(url)


def test_a_reader_sees_what_the_indexer_bound(store: IngestStore, url: str) -> None:
    reader = open_fact_reader(url)
    assert reader.binding() == Binding("genesis", "program")
    reader.close()


def test_a_bound_store_refuses_another_chain_and_another_program(store: IngestStore) -> None:
    store.bind(Binding("genesis", "program"))
    with pytest.raises(WrongChain, match="genesis, the node says another-genesis"):
        store.bind(Binding("another-genesis", "program"))
    with pytest.raises(WrongProgram, match="another-program"):
        store.bind(Binding("genesis", "another-program"))


def test_a_store_that_several_processes_create_at_once_is_one_store(url: str, open_reader: ReaderOpener) -> None:
    code = (
        "import sys; from eventstore.open import open_ingest_store; from eventstore.port import Binding\n"
        "sys.stdin.read(); store = open_ingest_store(sys.argv[1]); store.bind(Binding('genesis', 'program'))"
    )
    command = [sys.executable, "-c", code, url]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ends = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, ends
    reader = open_reader()
    assert isinstance(reader, StoreReader)
    with reader.backend.reading() as t:
        assert t.rows("SELECT COUNT(*) FROM ingest_state")[0][0] == 1
        assert t.rows("SELECT COUNT(*) FROM binding")[0][0] == 1


def test_a_reader_cannot_write(store: IngestStore, open_reader: ReaderOpener) -> None:
    reader = open_reader()
    assert isinstance(reader, StoreReader)
    with pytest.raises(StoreUnwritable), reader.backend.writing() as t:
        t.execute("UPDATE ingest_state SET coverage = 1")
    assert store.progress().coverage == -1


def test_without_leave_to_create_nothing_is_created(url: str) -> None:
    with pytest.raises(StoreMissing):
        open_ingest_store(url, create=False)
    with pytest.raises(StoreMissing):
        open_ingest_store(url, create=False)


def test_a_store_of_a_newer_version_is_refused(store: IngestStore, url: str) -> None:
    assert isinstance(store, EventStore)
    with store.backend.writing() as t:
        t.set_version(99)
    with pytest.raises(SchemaTooNew, match="99"):
        open_ingest_store(url)
    with pytest.raises(SchemaTooNew):
        open_fact_reader(url)


@pytest.fixture
def newer_software(monkeypatch: pytest.MonkeyPatch) -> Table:
    """Which has one more table and fills it; returns the table."""
    table = Table("newer", (Column("slot", "integer"), Column("body", "bytes", nullable=True)), key=("slot",))
    steps = (table, "INSERT INTO newer SELECT coverage, NULL FROM ingest_state")
    monkeypatch.setattr("eventstore.opening.MIGRATIONS", {SCHEMA_VERSION: steps})
    monkeypatch.setattr("eventstore.opening.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    return table


def test_a_store_of_an_older_version_is_migrated_by_the_indexer_and_by_nobody_else(
    store: IngestStore, url: str, deposit: Deposit, request: pytest.FixtureRequest
) -> None:
    store.append([deposit(1)])
    store.close()
    table: Table = request.getfixturevalue("newer_software")
    with pytest.raises(SchemaTooOld, match="start this version's indexer"):
        open_fact_reader(url)
    with pytest.raises(SchemaTooOld):
        open_ingest_store(url, create=False)
    for _ in range(2):
        migrated = open_ingest_store(url)
        assert isinstance(migrated, EventStore)
        assert [stored.fact for stored in migrated.read_after(0, 9)] == [deposit(1)]
        with migrated.backend.writing() as t:
            t.insert(table, [(-1, b"there already"), (7, None)])
            assert [tuple(row) for row in t.rows("SELECT slot, body FROM newer ORDER BY slot")] == [
                (-1, None),
                (7, None),
            ]
        migrated.close()
    open_fact_reader(url).close()


def test_a_store_in_use_is_not_migrated_under_its_indexer(
    store: IngestStore, epoch: int, url: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("newer_software")
    with pytest.raises(LeaseHeld, match="the test"):
        open_ingest_store(url)
    store.record_page(epoch, store.next_walk(1), [], None, met_floor=True)


def test_a_migration_that_fails_changes_nothing(
    store: IngestStore, url: str, deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append([deposit(1)])
    store.close()
    steps = ("UPDATE ingest_state SET coverage = 77", "CREATE TABLE half (x INTEGER)", "SELECT * FROM nowhere")
    with monkeypatch.context() as newer:
        newer.setattr("eventstore.opening.MIGRATIONS", {SCHEMA_VERSION: steps})
        newer.setattr("eventstore.opening.SCHEMA_VERSION", SCHEMA_VERSION + 1)
        with pytest.raises(NotAnEventStore, match="nowhere"):
            open_ingest_store(url)
    same = open_ingest_store(url)
    assert same.progress().coverage == -1
    assert [stored.fact for stored in same.read_after(0, 9)] == [deposit(1)]
    assert same.acquire_lease("the next") == 1
    same.close()


def test_a_store_that_was_replaced_is_noticed(
    store: IngestStore, url: str, open_reader: ReaderOpener, deposit: Deposit, remove_store: Callable[[], None]
) -> None:
    store.append([deposit(1)])
    reader = open_reader()
    assert reader.key_at(1) == key_of(deposit(1))
    store.close()
    remove_store()
    another = open_ingest_store(url)
    another.append([deposit(1)])
    another.close()
    with pytest.raises(StoreReplaced, match="replaced meanwhile"):
        reader.key_at(1)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "events.db",
        "mysql://x/y",
        "sqlite:///",
        "sqlite:////tmp/",
        "sqlite:///a?mode=ro",
        "postgresql://host",
        "postgresql://host/",
        "postgresql://host:port/database",
        "postgresql://host/database?colour=blue",
        "postgresql:/host/database",
    ],
)
def test_a_url_that_names_no_store_is_refused(bad: str) -> None:
    with pytest.raises(StoreUrlInvalid, match="VAULT_EVENT_STORE_URL"):
        open_ingest_store(bad)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    was_root = os.geteuid() == 0
    if was_root:
        tmp_path.chmod(0o755)
        os.seteuid(65534)
    try:
        with pytest.raises(EventStoreError, match="locked"):
            open_ingest_store(f"sqlite:///{folder}/events.db")
        with pytest.raises(EventStoreError, match="locked"):
            open_ingest_store(f"sqlite:///{folder}/deeper/events.db")
    finally:
        if was_root:
            os.seteuid(0)
