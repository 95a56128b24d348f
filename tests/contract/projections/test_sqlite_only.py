"""What only SQLite files can show or suffer: query plans, full, read-only, newer, half made, or not ours at all."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from projections.balance_snapshots import BALANCE_SNAPSHOTS
from projections.coverage import COVERAGE
from projections.errors import (
    NotReadModels,
    ReadModelsTooNew,
    ReadModelsUnavailable,
    ReadModelsUnwritable,
    ReadModelsUrlInvalid,
)
from projections.open import open_store
from projections.projection import Projection
from projections.sqlite_generation import SQLiteGeneration
from projections.sqlite_store import SQLiteReadModelStore
from projections.store import Catalog, Checkpoint, Query, Row, Value
from projections.transactions import TRANSACTIONS
from projections.tvl_stats import TVL_STATS
from projections.vaults import VAULTS
from tests.contract.projections.test_generation import THINGS, Thing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "read-models"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that nobody may enter and read, but not write; pytest's own are root's alone."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def others_file(folder: Path) -> bytes:
    """Another program's, where our catalog should be."""
    _statement(folder / "catalog.db", "CREATE TABLE theirs (x)")
    return (folder / "catalog.db").read_bytes()


def _statement(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def _files_of(folder: Path, projection: str) -> list[str]:
    return [path.name for path in folder.glob(f"{projection}.*")]


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Permissions do not hold root back."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("projection", "where", "order"),
    [
        (VAULTS, {}, ("id",)),
        (VAULTS, {"owner": "o"}, ("id",)),
        (TRANSACTIONS, {}, ("id",)),
        (TRANSACTIONS, {"vault": "v", "superseded": False}, ("slot", "transaction_index", "ordinal", "id")),
        (TRANSACTIONS, {}, ("vault", "superseded", "slot", "transaction_index", "ordinal", "id")),
        (TRANSACTIONS, {"signature": "s"}, ("id",)),
        (TRANSACTIONS, {}, ("timestamp", "slot", "id")),
        (BALANCE_SNAPSHOTS, {"vault": "v", "period": "hourly"}, ("start", "id")),
        (TVL_STATS, {}, ("minute", "id")),
        (COVERAGE, {"state": "open"}, ("from_slot", "id")),
    ],
    ids=[
        "vaults",
        "vault of owner",
        "transactions",
        "transactions of vault",
        "next vault",
        "by signature",
        "by time",
        "snapshots of vault",
        "minutes",
        "gaps",
    ],
)
async def test_every_query_of_the_readers_goes_by_an_index(
    folder: Path, projection: Projection, where: dict[str, Value], order: tuple[str, ...], after: bool, down: bool
) -> None:
    generation = SQLiteGeneration(folder / "one.db", projection, 1, create=True)
    await generation.create_indexes()
    asked: list[str] = []
    generation._db.set_trace_callback(asked.append)
    key = tuple("x" if field == "id" else 1 for field in order) if after else None
    await generation.find(Query(where, order, key, down, 10))
    generation._db.set_trace_callback(None)
    (statement,) = asked
    plan = [row[3] for row in generation._db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert all("INDEX" in step for step in plan if step.startswith(("SCAN", "SEARCH"))), plan
    if where:
        assert plan[0].startswith("SEARCH"), plan
    if "owner" not in where:  # an owner has one vault: there is nothing to sort
        assert not any("TEMP B-TREE" in step for step in plan), plan
    await generation.close()


async def test_a_full_disk_is_said_keeps_what_was_there_and_goes_on_when_there_is_room(folder: Path) -> None:
    generation = SQLiteGeneration(folder / "one.db", THINGS, 1, create=True)
    first, second = Checkpoint(position=1), Checkpoint(position=2)
    await generation.apply([Row("a", 1, Thing(owner="o"))], Checkpoint(), first)
    generation._db.execute("PRAGMA max_page_count = 12")
    rows = [Row(f"{n}", 2, Thing(owner="o" * 100)) for n in range(2_000)]
    with pytest.raises(ReadModelsUnwritable, match=r"one\.db: database or disk is full; nothing was lost"):
        await generation.apply(rows, first, second)
    assert (await generation.count(), await generation.checkpoint()) == (1, first)
    generation._db.execute("PRAGMA max_page_count = 1000000")
    await generation.apply(rows, first, second)
    assert (await generation.count(), await generation.checkpoint()) == (2_001, second)
    await generation.close()


def test_a_folder_that_cannot_be_written_is_named(reachable: Path) -> None:
    locked = reachable / "locked"
    locked.mkdir(mode=0o555)
    with _as_nobody():
        with pytest.raises(ReadModelsUnwritable, match="locked"):
            open_store(f"sqlite:///{locked}", create=True)
        with pytest.raises(ReadModelsUnwritable, match="locked/deeper"):
            open_store(f"sqlite:///{locked}/deeper", create=True)


async def test_read_models_that_cannot_be_written_are_named_and_left_alone(reachable: Path) -> None:
    url = f"sqlite:///{reachable}"
    await open_store(url, create=True).close()
    with _as_nobody(), pytest.raises(ReadModelsUnwritable, match="cannot write"):
        open_store(url, create=True).hold("vaults", "me")
    store = open_store(url, create=False)
    assert await store.catalog() == Catalog()
    await store.close()


async def test_read_models_of_a_newer_format_are_refused(folder: Path) -> None:
    store = SQLiteReadModelStore(folder, create=True)
    await (await store.create_generation(VAULTS, 1)).close()
    _statement(folder / "vaults.g1.db", "PRAGMA user_version = 99")
    with pytest.raises(ReadModelsTooNew, match=r"vaults\.g1\.db has format version 99, this software knows 1"):
        await store.open_generation(VAULTS, 1)
    await store.close()
    _statement(folder / "catalog.db", "PRAGMA user_version = 99")
    for create in (True, False):
        with pytest.raises(ReadModelsTooNew, match="99"):
            SQLiteReadModelStore(folder, create=create)


@pytest.mark.parametrize("create", [True, False])
def test_another_programs_database_is_refused_and_left_alone(folder: Path, others_file: bytes, create: bool) -> None:
    with pytest.raises(NotReadModels, match="VAULT_READ_MODELS_URL"):
        SQLiteReadModelStore(folder, create=create)
    assert (folder / "catalog.db").read_bytes() == others_file


def test_a_file_that_is_no_database_is_refused(folder: Path) -> None:
    (folder / "catalog.db").write_text("not a database, by any measure\n" * 100)
    with pytest.raises(NotReadModels):
        SQLiteReadModelStore(folder, create=True)


@pytest.mark.parametrize("how_far", ["PRAGMA user_version", "PRAGMA journal_mode = WAL"])
async def test_a_store_whose_maker_was_killed_half_way_is_finished_by_the_next(folder: Path, how_far: str) -> None:
    _statement(folder / "catalog.db", how_far)
    with pytest.raises(ReadModelsUnavailable, match="none yet"):
        SQLiteReadModelStore(folder, create=False)
    store = SQLiteReadModelStore(folder, create=True)
    assert await store.catalog() == Catalog()
    await store.close()


async def test_a_reader_of_a_dropped_generation_reads_on(folder: Path) -> None:
    store = SQLiteReadModelStore(folder, create=True)
    generation = await store.create_generation(THINGS, 1)
    await generation.apply([Row("a", 1, Thing(owner="o"))], Checkpoint(), Checkpoint(position=1))
    reader = await store.open_generation(THINGS, 1)
    await store.drop_generation(THINGS, 1)
    assert _files_of(folder, "things") == []
    assert (await reader.get(["a"]))["a"].document.owner == "o"
    await reader.close()
    await generation.close()
    await store.close()


@pytest.mark.parametrize("bad", ["", "read-models", "mongodb://x/y", "sqlite:///", "sqlite:///a?mode=ro"])
def test_a_url_that_names_no_folder_is_refused(bad: str) -> None:
    with pytest.raises(ReadModelsUrlInvalid, match="VAULT_READ_MODELS_URL"):
        open_store(bad, create=True)


@pytest.mark.parametrize(
    "url", ["mongodb://ann:hush@host/db?key=hush", "sqlite:///a?key=hush", "ann:hush@host/db", "mongodb://hush@h#hush"]
)
def test_a_url_that_is_refused_is_shown_without_user_password_and_query(url: str) -> None:
    with pytest.raises(ReadModelsUrlInvalid) as refused:
        open_store(url, create=True)
    assert "hush" not in str(refused.value)
    assert "ann" not in str(refused.value)
