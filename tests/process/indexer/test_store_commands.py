"""What is in a store goes out and in again, is shown, and is decoded again, without a node."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventstore.errors import LeaseHeld
from eventstore.facts import Deposited, EventUndecoded, OperatorActed, ProgramFact
from eventstore.open import open_ingest_store
from eventstore.port import Inclusion, IngestStore
from indexer.decode import Decoder
from indexer.idl_file import load_idl
from indexer.redecode import Redecoded, run_redecode
from tests.process.indexer.conftest import DEPOSIT, IDL, PROGRAM, Indexer, MakeIndexer, Node


async def fill(indexer: Indexer, node: Node, **settings: str) -> None:
    running = await indexer.start(settings=settings)
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    await running.stop()


async def exported(indexer: Indexer, *options: str) -> bytes:
    file = indexer.folder / "export.ndjson"
    done = await indexer.run("export", str(file), *options)
    assert done.code == 0, done
    return file.read_bytes()


def in_store(indexer: Indexer, through_slot: int) -> list[tuple[str, int, int, str]]:
    assert indexer.covers(through_slot)
    return indexer.events()


async def test_an_exported_store_is_the_same_when_it_is_imported_and_goes_on(
    indexer: Indexer, node: Node, make_indexer: MakeIndexer
) -> None:
    await fill(indexer, node)
    export = await exported(indexer)
    head = json.loads(export.splitlines()[-1])["head"]
    other = make_indexer("other", node.url)
    other.folder.mkdir()
    file = str(indexer.folder / "export.ndjson")
    imported = await other.run("import", file, "--head", head, "--json")
    assert imported.code == 0, imported
    assert json.loads(imported.out) == {
        "facts": len(indexer.facts()),
        "known": 0,
        "evidence": len(node.transactions),
    }
    assert await exported(other) == export
    asked = len(node.asked)
    running = await other.start()
    await running.until_logged("started")
    await running.until(lambda: len(node.asked) > asked + 10, "a look at the chain")
    await running.stop()
    assert in_store(other, node.finalized) == in_store(indexer, node.finalized)
    assert "getTransaction" not in [method for method, _ in node.asked[asked:]], "nothing is fetched twice"


async def test_an_export_to_standard_output_is_the_same_and_names_the_head_beside(indexer: Indexer, node: Node) -> None:
    await fill(indexer, node)
    export = await exported(indexer)
    done = await indexer.run("export")
    assert done.out.encode() == export
    head = json.loads(export.splitlines()[-1])["head"]
    assert done.err == f"exported {len(indexer.facts())} facts and {len(node.transactions)} transactions; head {head}\n"


async def test_an_import_that_fails_leaves_nothing_behind(
    indexer: Indexer, node: Node, make_indexer: MakeIndexer
) -> None:
    await fill(indexer, node)
    export = await exported(indexer)
    other = make_indexer("other", node.url)
    other.folder.mkdir()
    bad = other.folder / "bad.ndjson"
    bad.write_bytes(export.replace(b'"slot":', b'"slot":1', 1))
    assert "is no line of an export" in (await other.run("import", str(indexer.path))).refusal
    bad.write_bytes(b"".join(export.splitlines(keepends=True)[:-1]))
    assert "the file was cut off" in (await other.run("import", str(bad))).refusal
    assert "No such file" in (await other.run("import", str(other.folder / "none"))).refusal
    assert "is no head of a hash chain" in (await other.run("import", str(bad), "--head", "x")).refusal
    assert other.facts() == []
    assert (await other.run("import", str(indexer.folder / "export.ndjson"))).code == 0


async def test_nothing_is_imported_under_a_running_indexer(indexer: Indexer, node: Node) -> None:
    await fill(indexer, node)
    await exported(indexer)
    running = await indexer.start()
    await running.until_logged("started")
    refused = await indexer.run("import", str(indexer.folder / "export.ndjson"))
    assert "is in use by another running indexer" in refused.refusal
    await running.stop()
    with closing(open_ingest_store(indexer.url)) as store:
        store.acquire_lease("free again")
        with closing(open_ingest_store(indexer.url)) as second, pytest.raises(LeaseHeld):
            second.acquire_lease("the test")


async def test_evidence_alone_is_decoded_and_unsettled_until_the_chain_was_swept_again(
    indexer: Indexer, node: Node, make_indexer: MakeIndexer
) -> None:
    await fill(indexer, node)
    export = await exported(indexer, "--evidence-only")
    assert b'"kind":"fact"' not in export
    other = make_indexer("other", node.url)
    other.folder.mkdir()
    imported = await other.run("import", str(indexer.folder / "export.ndjson"))
    assert imported.code == 0, imported
    assert "unsettled until `vault-indexer run` has swept" in imported.out
    assert sorted(other.events()) == sorted(indexer.events())
    progress = other.progress()
    assert (progress.coverage, progress.unsettled) == (-1, len(node.transactions))
    await fill(other, node)
    assert other.progress().unsettled == 0


async def test_a_stored_transaction_is_shown_as_decode_takes_it(indexer: Indexer, node: Node) -> None:
    await fill(indexer, node)
    shown = await indexer.run("evidence", DEPOSIT)
    assert shown.code == 0
    line = json.loads(shown.out)
    assert line["result"] == node.transactions[DEPOSIT]
    assert (line["signature"], line["isSettled"]) == (DEPOSIT, True)
    file = indexer.folder / "evidence.ndjson"
    file.write_text(shown.out)
    decoded = await indexer.run("decode", "--idl", str(IDL), "--program", PROGRAM, str(file))
    assert "Deposited" in [json.loads(row)["name"] for row in decoded.out.splitlines()]
    assert "the store holds no transaction 'nobody'" in (await indexer.run("evidence", "nobody")).refusal


@pytest.fixture
def older_idl(tmp_path: Path) -> Path:
    """Knows deposits by another discriminator than the program gives them."""
    idl: Any = json.loads(IDL.read_text())
    for event in idl["events"]:
        if event["name"] == "Deposited":
            event["discriminator"] = [1] * 8
    path = tmp_path / "older.json"
    path.write_text(json.dumps(idl))
    return path


async def test_a_better_decoder_mends_what_an_older_one_could_not_read(
    indexer: Indexer, node: Node, make_indexer: MakeIndexer, older_idl: Path
) -> None:
    await fill(indexer, node, IDL=str(older_idl))
    undecoded = [s.fact for s in indexer.facts() if isinstance(s.fact, EventUndecoded)]
    assert undecoded
    before = indexer.facts()
    dry = await indexer.run("redecode", "--dry-run", "--json")
    transactions = len({fact.signature for fact in undecoded})
    assert json.loads(dry.out) == {
        "looked_at": len(node.transactions),
        "changed": transactions,
        "emptied": 0,
        "incomplete": 0,
    }
    assert indexer.facts() == before
    done = await indexer.run("redecode", "--operator", "mara", "--reason", "the right IDL")
    assert done.code == 0
    assert f"{transactions} otherwise than stored: appended" in done.out
    new = [stored.fact for stored in indexer.facts()[len(before) :]]
    assert isinstance(new[0], OperatorActed)
    assert (new[0].operator, new[0].action, new[0].reason) == ("mara", "redecode", "the right IDL")
    assert {fact.revision for fact in new if isinstance(fact, ProgramFact)} == {1}
    honest = make_indexer("honest", node.url)
    await fill(honest, node)
    expected = [s.fact for s in honest.facts() if isinstance(s.fact, Deposited)]
    deposits = {fact.signature: fact for fact in new if isinstance(fact, Deposited)}
    assert [(f.signature, f.amount, f.total_balance) for f in expected if f.signature in deposits] == [
        (f.signature, f.amount, f.total_balance) for f in deposits.values()
    ]
    again = await indexer.run("redecode", "--json")
    assert json.loads(again.out)["changed"] == 0
    last = [s.fact for s in indexer.facts()[len(before) + len(new) :]]
    assert [type(fact) for fact in last] == [OperatorActed], "nothing else is new"


async def test_a_decoder_that_finds_nothing_takes_nothing_away(indexer: Indexer, node: Node) -> None:
    await fill(indexer, node)
    before = indexer.facts()
    blind = Decoder(load_idl(IDL), "11111111111111111111111111111111")
    with closing(open_ingest_store(indexer.url)) as store:
        done = redecode(store, blind)
        spoke = {s.fact.signature for s in before if hasattr(s.fact, "signature")}
        assert (done.changed, done.emptied) == (0, len(spoke))
        assert store.latest_decode(Inclusion("nobody", 1)) == (-1, [])
    assert len(indexer.facts()) == len(before) + 1


def redecode(store: IngestStore, decoder: Decoder) -> Redecoded:
    return run_redecode(
        store,
        decoder,
        from_slot=0,
        through_slot=None,
        operator="the test",
        reason=None,
        dry_run=False,
        report=lambda _: None,
    )
