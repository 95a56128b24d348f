"""What is damaged is named in one clear line, with where and what to do: exit code 1, and nothing is changed."""

import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from eventstore.open import open_ingest_store
from eventstore.topics import encode
from tests.integration.projections.conftest import Commands
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=300, vaults=9)
EARLY, LATE = FACTS[:-30], FACTS[-30:]
ANEW = "restore it from a back-up, or let vault-indexer fill a new one"
REBUILD = "run vault-projector rebuild --projection vaults"
EVENTS, CATALOG, VAULTS = "events.db", "read-models/catalog.db", "read-models/vaults.g1.db"
PAGE = 4_096


@pytest.fixture(autouse=True)
def followed(projector: Commands) -> None:
    """Both projections have their first generation, and everything is in the files themselves."""
    events = open_ingest_store(projector.events_url)
    append(events, EARLY)
    events.close()
    projector.json("rebuild")


def change(path: Path, statement: str, values: Sequence[object] = ()) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        changed = connection.execute(statement, values).rowcount
        assert changed != 0, "the damage was not done"
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def flip_a_page_of(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * PAGE : (page - 1) * PAGE + 64] = random.Random(1).randbytes(64)
    path.write_bytes(content)


def what_readers_see(projector: Commands) -> tuple[str, str]:
    """Catalog and documents of the live generations; of a rebuild that failed there may be leftovers."""
    status, digest = projector.json("status"), projector.json("digest")
    return str([(s["generation"], s["kept"]) for s in status]), str(digest)


@pytest.mark.parametrize(
    ("damage", "values", "said"),
    [
        ("state = ?", [b"\xc1 no msgpack"], "it is corrupt ("),
        ("state = ?", [b"\x90"], "it is corrupt ("),
        ("state = ?", [b"\x93\xa1s\xff\x00"], "it is corrupt ("),
        ("state = 'text'", [], "it is corrupt ("),
        ("state = ?", [encode(replace(LATE[0], slot=-1))], "it is corrupt (its slot, transaction index,"),
        ("state = ?", [encode(replace(LATE[0], revision=2**32))], "it is corrupt (its slot, transaction index,"),
        ("topic = 'Deposited.9'", [], "its topic 'Deposited.9' is unknown here: use the version that wrote it"),
        ("topic = 'CoverageAdvanced.1'", [], "it is corrupt ("),
    ],
)
@pytest.mark.parametrize("command", ["run", "rebuild", "status"])
def test_a_fact_that_cannot_be_read_is_named_with_its_position(
    projector: Commands, command: str, damage: str, values: list[object], said: str
) -> None:
    before = what_readers_see(projector)
    events = open_ingest_store(projector.events_url)
    last = events.append(LATE[:1]).last_position
    events.close()
    whole = (projector.folder / EVENTS).read_bytes()
    change(projector.folder / EVENTS, f"UPDATE stored_events SET {damage} WHERE rowid = {last}", values)
    line = projector.refused(command)
    assert f"the fact at position {last} of {projector.folder / EVENTS} cannot be read: {said}" in line
    assert ANEW in line
    (projector.folder / EVENTS).write_bytes(whole)
    assert what_readers_see(projector) == before


@pytest.mark.parametrize("position", [1, 100])
def test_a_row_that_the_index_by_vault_lacks_is_named_by_the_rebuild(projector: Commands, position: int) -> None:
    before = what_readers_see(projector)
    with closing(sqlite3.connect(projector.folder / EVENTS)) as connection:
        query = "SELECT vault FROM vault_index WHERE position >= ? ORDER BY position LIMIT 1"
        (vault,) = connection.execute(query, (position,)).fetchone()
    change(projector.folder / EVENTS, "DELETE FROM vault_index WHERE vault = ? AND position >= ?", (vault, position))
    line = projector.refused("rebuild")
    assert f"for '{vault}' the event store's index by vault lacks the fact at position " in line
    assert int(line.split("lacks the fact at position ")[1].split(",")[0]) >= position
    assert "nothing was flipped" in line
    assert ANEW in line
    assert what_readers_see(projector) == before


def test_an_index_by_vault_that_is_empty_is_named_by_the_rebuild(projector: Commands) -> None:
    before = what_readers_see(projector)
    change(projector.folder / EVENTS, "DELETE FROM vault_index")
    assert "the event store's index by vault lacks the fact at position" in projector.refused("rebuild")
    assert what_readers_see(projector) == before


@pytest.mark.parametrize(
    "damage",
    [
        "INSERT INTO vault_index SELECT vault, slot, transaction_index, ordinal, 0 FROM vault_index LIMIT 1",
        "DELETE FROM stored_events WHERE rowid = (SELECT MIN(position) FROM vault_index)",
        "INSERT INTO vault_index SELECT 'vault-0001', slot, transaction_index, ordinal, position FROM vault_index"
        " WHERE vault = 'vault-0002' AND position NOT IN (SELECT position FROM vault_index WHERE vault = 'vault-0001')"
        " LIMIT 1",
        "INSERT INTO vault_index SELECT vault, slot + 1, transaction_index, ordinal, position FROM vault_index LIMIT 1",
    ],
    ids=["to nowhere", "to a fact that was lost", "to another vault's fact", "at another place"],
)
def test_a_row_of_the_index_by_vault_that_leads_to_no_fact_of_it_is_named_by_the_rebuild(
    projector: Commands, damage: str
) -> None:
    before = what_readers_see(projector)
    change(projector.folder / EVENTS, damage)
    line = projector.refused("rebuild")
    assert f"the event store at {projector.folder / EVENTS} is damaged: its index by vault names position" in line
    assert ANEW in line
    assert what_readers_see(projector) == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("body = CAST('{' AS BLOB)", "document 'vault-0003': "),
        ("body = x'ff00'", "document 'vault-0003': "),
        ("body = 7", "document 'vault-0003': "),
        ("body = json_remove(body, '$.owner')", "missing required field `owner`"),
        ("body = json_remove(body, '$.total_balance')", "missing required field `total_balance`"),
        ("body = json_set(body, '$.total_balance', 'a lot')", "$.total_balance"),
        ("body = json_set(body, '$.last_slot', 'late')", "$.last_slot"),
        ("position = 'nowhere'", "its id or position"),
    ],
)
@pytest.mark.parametrize("command", ["digest", "run"])
def test_a_document_that_is_corrupt_is_named_and_a_rebuild_is_the_way_out(
    projector: Commands, command: str, damage: str, said: str
) -> None:
    change(projector.folder / VAULTS, f"UPDATE documents SET {damage} WHERE id = 'vault-0003'")
    events = open_ingest_store(projector.events_url)
    append(events, LATE)  # so that a projector needs the document
    events.close()
    line = projector.refused(command)
    assert f"{projector.folder / VAULTS} is damaged (document 'vault-0003'" in line
    assert said in line
    assert REBUILD in line
    assert projector.json("rebuild", "--projection", "vaults")["generation"] == {"vaults": 2}
    assert projector.run("digest").code == 0


def missing(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6_000])


def no_database(path: Path) -> None:
    path.write_text("not a database, by any measure\n" * 100)


def of_another_version(path: Path) -> None:
    change(path, "PRAGMA user_version = 0")


def without_a_checkpoint(path: Path) -> None:
    change(path, "DELETE FROM checkpoint")


def with_a_corrupt_checkpoint(path: Path) -> None:
    change(path, "UPDATE checkpoint SET body = replace(body, 'position', 'Position')")


def without_its_tables(path: Path) -> None:
    change(path, "ALTER TABLE documents RENAME TO papers")
    change(path, "ALTER TABLE checkpoint RENAME TO cheque")


@pytest.mark.parametrize(
    "damage",
    [
        missing,
        emptied,
        truncated,
        no_database,
        of_another_version,
        without_a_checkpoint,
        with_a_corrupt_checkpoint,
        without_its_tables,
    ],
)
def test_a_generation_that_is_lost_or_damaged_is_named_by_every_command_and_a_rebuild_is_the_way_out(
    projector: Commands, damage: Callable[[Path], None]
) -> None:
    before = projector.json("digest")["vaults"]["digest"]
    damage(projector.folder / VAULTS)
    for command in ("run", "status", "digest"):
        line = projector.refused(command)
        assert REBUILD in line, line
        assert "vaults" in line
    assert projector.json("rebuild", "--projection", "vaults")["generation"] == {"vaults": 2}
    assert projector.json("digest")["vaults"]["digest"] == before


ENTRY = '{"number":1,"version":1,"state":"live","since_s":1.0}'


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "{}",
        '{"revision":REVISION,"generations":{"vaults":[{"number":1}]}}',
        '{"revision":REVISION,"generations":{"vaults":[NEGATIVE]}}',
        '{"revision":REVISION,"generations":{"vaults":[HUGE]}}',
        '{"revision":REVISION,"generations":{"vaults":[ENTRY,ENTRY]}}',
        '{"revision":REVISION,"generations":{"vaults":[ENTRY,SECOND]}}',
        '{"revision":REVISION,"generations":{"vaults":[ENTRY,KEPT]}}',
        '{"revision":REVISION,"generations":{"vaults":[{"number":"../../x","version":1,"state":"live","since_s":1}]}}',
        '{"revision":REVISION,"generationz":{"vaults":[ENTRY]}}',
        '{"revision":1,"generations":{"vaults":[ENTRY]}}',
        None,
    ],
)
def test_a_catalog_that_is_corrupt_or_hostile_is_named_by_every_command(projector: Commands, body: str | None) -> None:
    path = projector.folder / CATALOG
    if body is None:
        change(path, "DELETE FROM catalog")
    else:
        with closing(sqlite3.connect(path)) as connection:
            (revision,) = connection.execute("SELECT revision FROM catalog").fetchone()
        body = body.replace("REVISION", str(revision)).replace("ENTRY", ENTRY)
        body = body.replace("KEPT", ENTRY.replace("live", "kept"))
        for name, number in (("NEGATIVE", "-1"), ("HUGE", "9" * 300), ("SECOND", "2")):
            body = body.replace(name, ENTRY.replace('"number":1', f'"number":{number}'))
        change(path, "UPDATE catalog SET body = CAST(? AS BLOB)", (body,))
    before = path.read_bytes()
    for command in ("run", "rebuild", "status", "digest"):
        line = projector.refused(command)
        assert f"{path} holds no read models (its catalog: " in line
        assert "move the folder away and run vault-projector rebuild" in line
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "table", "commands", "said"),
    [
        (EVENTS, "stored_events", ["rebuild"], ANEW),
        (EVENTS, "vault_index", ["rebuild"], ANEW),
        (CATALOG, "catalog", ["run", "rebuild", "status", "digest"], "move the folder away"),
        (VAULTS, "documents", ["digest"], REBUILD),
        (VAULTS, "checkpoint", ["run", "status", "digest"], REBUILD),
    ],
)
def test_a_page_that_is_garbled_in_the_middle_of_a_file_is_named_with_the_file(
    projector: Commands, name: str, table: str, commands: list[str], said: str
) -> None:
    flip_a_page_of(projector.folder / name, table)
    for command in commands:
        line = projector.refused(command)
        assert f"{projector.folder / name}" in line
        assert "(database disk image is malformed)" in line
        assert said in line
