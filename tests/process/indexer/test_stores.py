"""A store that cannot be used: one clear line, exit code 1, and all that was in it is still there."""

import ctypes
import json
import resource
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventstore.facts import EventUndecoded
from eventstore.open import open_ingest_store
from eventstore.tables import SCHEMA_VERSION
from tests.process.indexer.conftest import SECRET, Indexer, Node, Running, copies

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
SMALL_BYTES, LINE_BYTES = 200_000, 2_000


def bound_by_permissions() -> None:
    """In a child before it begins: root is held back by permissions like everybody else."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def small_disk() -> None:
    """In a child before it begins: no file may grow beyond SMALL_BYTES."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, SMALL_BYTES))


def full_disk() -> None:
    """In a child before it begins: no file may grow beyond what a line on stderr needs."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LINE_BYTES, LINE_BYTES))


@pytest.fixture
async def filled(indexer: Indexer, node: Node) -> Indexer:
    """Holds all that the node has."""
    running = await indexer.start()
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    await running.stop()
    return indexer


async def test_a_store_of_a_newer_version_is_refused_and_left_alone(filled: Indexer) -> None:
    with closing(sqlite3.connect(filled.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = filled.path.read_bytes()
    for command in ("run", "status"):
        said = (await filled.run(command)).refusal
        assert (
            f"{filled.path} has schema version 99, this software knows {SCHEMA_VERSION}: use the newer version" in said
        )
    assert filled.path.read_bytes() == before


async def test_another_programs_database_is_refused_and_left_alone(indexer: Indexer) -> None:
    indexer.folder.mkdir()
    with closing(sqlite3.connect(indexer.path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = indexer.path.read_bytes()
    for command in ("run", "status"):
        said = (await indexer.run(command)).refusal
        assert f"{indexer.path} is not an event store" in said
        assert "VAULT_EVENT_STORE_URL" in said
    assert indexer.path.read_bytes() == before


async def test_a_file_that_is_no_database_and_a_folder_in_its_place_are_refused(indexer: Indexer) -> None:
    indexer.folder.mkdir()
    indexer.path.write_text("not a database, by any measure\n" * 100)
    assert f"{indexer.path} is not an event store" in (await indexer.run()).refusal
    assert indexer.path.read_text() == "not a database, by any measure\n" * 100
    indexer.path.unlink()
    indexer.path.mkdir()
    for command in ("run", "status"):
        said = (await indexer.run(command)).refusal
        assert f"{indexer.path} is not an event store (it is a folder): check VAULT_EVENT_STORE_URL" in said


async def test_a_read_only_folder_is_named_and_nothing_in_it_changed(filled: Indexer) -> None:
    locked = Indexer(filled.folder.parent / "locked", filled.settings["RPC_URLS"])
    locked.folder.mkdir()
    shutil.copy(filled.path, locked.path)
    locked.path.chmod(0o444)
    locked.folder.chmod(0o555)
    before = filled.path.read_bytes()
    said = (await filled.run(before=bound_by_permissions, settings={"EVENT_STORE_URL": locked.url})).refusal
    assert f"cannot write {locked.folder}" in said
    assert "fix permissions" in said
    assert locked.path.read_bytes() == before
    assert [path.name for path in locked.folder.iterdir()] == ["events.db"]


async def test_status_of_a_store_on_a_read_only_disk_is_told_as_of_any_other(filled: Indexer, node: Node) -> None:
    """Or it says what is missing: a log that was left behind cannot be taken in there."""
    filled.path.chmod(0o444)
    filled.folder.chmod(0o555)
    names = {path.name for path in filled.folder.iterdir()}
    reader = Indexer(filled.folder.parent / "reader", filled.settings["RPC_URLS"])
    done = await reader.run("status", "--json", before=bound_by_permissions, settings={"EVENT_STORE_URL": filled.url})
    assert json.loads(done.out)["completeThroughSlot"] == node.finalized
    assert {path.name for path in filled.folder.iterdir()} == names
    filled.folder.chmod(0o755)
    filled.path.with_name("events.db-wal").write_bytes(b"")
    filled.folder.chmod(0o555)
    said = (await reader.run("status", before=bound_by_permissions, settings={"EVENT_STORE_URL": filled.url})).refusal
    assert f"cannot read {filled.path}: " in said
    assert "let this user read it and write its folder" in said
    filled.folder.chmod(0o755)


async def test_a_folder_that_cannot_be_made_is_named(indexer: Indexer, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    url = f"sqlite:///{tmp_path}/locked/deeper/events.db"
    said = (await indexer.run(before=bound_by_permissions, settings={"EVENT_STORE_URL": url})).refusal
    assert f"cannot write {tmp_path}/locked/deeper" in said
    assert "fix permissions" in said


async def test_a_full_disk_at_the_start_is_said_and_loses_nothing(filled: Indexer, tmp_path: Path) -> None:
    before = filled.facts()
    new = f"{tmp_path}/new/events.db"
    for path in (str(filled.path), new):
        settings = {"EVENT_STORE_URL": f"sqlite:///{path}", "LOG_LEVEL": "error"}
        said = (await filled.run(before=full_disk, settings=settings)).refusal
        assert f"cannot write {path}" in said
        assert "nothing was lost, free space" in said
    assert filled.facts() == before
    for path in (str(filled.path), new):
        running = await filled.start(settings={"EVENT_STORE_URL": f"sqlite:///{path}"})
        await running.until_logged("covered" if path == new else "started")
        await running.stop()
    assert filled.facts() == before


async def test_a_disk_that_fills_up_while_it_runs_stops_it_with_a_clear_line_and_loses_nothing(
    indexer: Indexer, node: Node
) -> None:
    for transaction in copies(600):
        node.add(transaction)
    ended = await indexer.run(before=small_disk, settings={"LOG_LEVEL": "warning"})
    assert f"cannot write {indexer.path}: " in ended.refusal
    assert "nothing was lost, free space" in ended.refusal
    running = await indexer.start()
    await running.until(lambda: indexer.covers(node.finalized), "coverage, with room on the disk")
    await running.stop()
    events = indexer.events()
    assert len(events) == len(set(events))
    succeeded = {name for name, t in node.transactions.items() if t["meta"]["err"] is None}
    assert {signature for signature, *_ in events} == succeeded


async def test_a_store_that_another_indexer_runs_on_is_refused_with_its_holder(indexer: Indexer, node: Node) -> None:
    first = await indexer.start()
    await first.until_logged("started")
    said = (await indexer.run()).refusal
    assert f"process {first.process.pid})" in said
    assert "stop it first" in said
    assert (await indexer.run("status")).code == 0
    await first.until(lambda: indexer.covers(node.finalized), "coverage, undisturbed")
    await first.stop()
    again: Running = await indexer.start()
    await again.until_logged("started")
    await again.stop()


async def test_a_url_of_a_store_that_is_none_is_refused_without_its_password(indexer: Indexer) -> None:
    for command in ("run", "status"):
        url = {"EVENT_STORE_URL": f"mysql://user:{SECRET}@host/db?password={SECRET}"}
        said = (await indexer.run(command, settings=url)).refusal
        assert "VAULT_EVENT_STORE_URL 'mysql://host/db': only sqlite and postgresql are supported" in said
        assert "use sqlite:///relative.db" in said


async def test_status_tells_how_far_the_store_is_to_people_and_machines(filled: Indexer, node: Node) -> None:
    text = (await filled.run("status")).out
    assert f"complete through  slot {node.finalized}" in text
    assert "0 signatures, 0 unfinished walks" in text
    told = json.loads((await filled.run("status", "--json")).out)
    assert told["store"] == filled.url
    assert told["completeThroughSlot"] == told["headSlot"] == node.finalized
    assert (told["lagSlots"], told["owed"], told["nodeError"]) == (0, 0, None)
    assert told["genesisHash"] == node.genesis


async def test_status_with_the_node_down_tells_the_store_and_what_is_wrong(
    filled: Indexer, node: Node, unused_tcp_port: int
) -> None:
    gone = f"http://user:{SECRET}@127.0.0.1:{unused_tcp_port}/{SECRET}"
    before = filled.facts()
    done = await filled.run("status", settings={"RPC_URLS": gone})
    assert done.code == 0
    assert f"complete through  slot {node.finalized}" in done.out
    assert f"127.0.0.1:{unused_tcp_port}" in done.out
    told = json.loads((await filled.run("status", "--json", settings={"RPC_URLS": gone})).out)
    assert told["completeThroughSlot"] == node.finalized
    assert (told["headSlot"], told["lagSlots"]) == (None, None)
    assert "Cannot connect" in told["nodeError"]
    assert filled.facts() == before


async def test_status_tells_of_each_endpoint_whether_it_can_be_used(
    filled: Indexer, node: Node, unused_tcp_port: int
) -> None:
    gone = f"http://127.0.0.1:{unused_tcp_port}"
    urls = {"RPC_URLS": f"{gone}/{SECRET},{filled.settings['RPC_URLS']}"}
    told = json.loads((await filled.run("status", "--json", settings=urls)).out)
    down, up = told["endpoints"]
    assert (down["endpoint"], down["headSlot"]) == (gone, None)
    assert "Cannot connect" in down["error"]
    assert (up["headSlot"], up["error"]) == (node.finalized, None)
    assert (told["headSlot"], told["nodeError"]) == (node.finalized, None)
    assert (told["unsettled"], told["gapsOpen"], told["gapsAccepted"]) == (0, 0, 0)
    assert f"endpoint          {gone}  " in (await filled.run("status", settings=urls)).out


@pytest.mark.parametrize("other", ["genesis", "blocks"])
async def test_status_says_that_the_node_is_of_another_chain_than_the_stores(
    filled: Indexer, node: Node, other: str
) -> None:
    """Local chains share their genesis hash."""
    if other == "genesis":
        node.genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
    else:
        node.finalized_block = "another"
    what = "belongs to another chain" if other == "genesis" else "the node serves another chain"
    done = await filled.run("status")
    assert (done.code, done.err) == (0, "")
    assert f"complete through  slot {node.finalized}" in done.out
    assert what in next(line for line in done.out.splitlines() if line.startswith("chain's head"))
    told = json.loads((await filled.run("status", "--json")).out)
    assert what in told["nodeError"]
    assert (told["headSlot"], told["lagSlots"]) == (None, None)


def undecoded(ordinal: int) -> EventUndecoded:
    return EventUndecoded(
        signature="s",
        slot=1,
        transaction_index=0,
        ordinal=ordinal,
        revision=0,
        block_time=None,
        reason="no such event",
        data=b"?",
    )


async def test_status_counts_what_the_idl_does_not_explain(filled: Indexer) -> None:
    assert json.loads((await filled.run("status", "--json")).out)["undecodedEvents"] == 0
    with closing(open_ingest_store(filled.url)) as store:
        store.append([undecoded(ordinal) for ordinal in range(2)])
    assert "undecoded         2 events" in (await filled.run("status")).out
    assert json.loads((await filled.run("status", "--json")).out)["undecodedEvents"] == 2


async def test_status_without_a_store_says_so_and_makes_none(indexer: Indexer) -> None:
    for arguments in (["status"], ["status", "--json"]):
        done = await indexer.run(*arguments)
        assert f"no event store at {indexer.path}: start the indexer first" in done.refusal
        assert done.out == ""
    assert not indexer.path.exists()


async def test_status_of_an_empty_file_says_that_there_is_no_store_and_leaves_it_empty(indexer: Indexer) -> None:
    indexer.folder.mkdir()
    indexer.path.touch()
    assert "start the indexer first" in (await indexer.run("status")).refusal
    assert indexer.path.read_bytes() == b""
