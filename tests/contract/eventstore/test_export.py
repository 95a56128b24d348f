"""A store as text: checked against its hash chain by anybody, and the same store again when it is imported."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from eventstore.errors import ExportInvalid, HeadMalformed, ImportRefused, StoreUnbound, WrongChain, WrongProgram
from eventstore.export import Exported, read_export, write_export
from eventstore.facts import CoverageAdvanced, Fact, TransactionReinstated
from eventstore.hash_chain import Head
from eventstore.importing import import_export
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import Binding, Evidence, Gap, Imported, Inclusion, IngestStore, Owed, Reverted
from eventstore.verify import Verification, Verified
from tests.contract.eventstore.conftest import BINDING, Deposit, Opener

BODY = b'{"slot":%d,"text":"\xc3\xa4"}'


def evidence(slot: int, *, is_final: bool = True, signature: str | None = None) -> Evidence:
    return Evidence(signature or f"signature-{slot}", slot, 0, slot, BODY % slot, "http://node", is_final, 2)


def fill(store: IngestStore, epoch: int, deposit: Deposit) -> None:
    """With something of each kind that leaves state behind."""
    found = [Owed(f"signature-{slot}", slot, None) for slot in range(9, 0, -1)]
    store.record_page(epoch, store.next_walk(9), found, None, met_floor=True)
    for slot in (1, 2, 3):
        fetched = [Inclusion(f"signature-{slot}", slot)]
        store.append([deposit(slot, amount=2**64 - 1)], [evidence(slot)], no_longer_owed=fetched, epoch=epoch)
    store.append([CoverageAdvanced(through_slot=3, block_time=None, blockhash="hash")], epoch=epoch)
    both = [Inclusion("signature-4", 4), Inclusion("signature-5", 5)]
    store.append(
        [deposit(4), deposit(5)],
        [evidence(4, is_final=False), evidence(5, is_final=False)],
        no_longer_owed=both,
        epoch=epoch,
    )
    store.settle(epoch, [], [Reverted(both[0], "another")])
    store.find_gaps(epoch, [Gap(7, 8, None, "pruned"), Gap(9, 9, "signature-9", "no logs")])
    store.accept_gap(Gap(7, 8, None, "pruned"), operator="me", reason="known")
    store.append([], [evidence(6)])
    store.append([CoverageAdvanced(through_slot=4, block_time=4, blockhash=None)], epoch=epoch)


@pytest.fixture
def filled(store: IngestStore, epoch: int, deposit: Deposit) -> IngestStore:
    fill(store, epoch, deposit)
    return store


class Target(NamedTuple):
    """Of imports."""

    store: IngestStore
    epoch: int

    def take(self, export: bytes, *heads: Head) -> Imported:
        return import_export(self.store, self.epoch, io.BytesIO(export), heads=heads)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Target]:
    with closing(open_ingest_store(f"sqlite:///{tmp_path}/imported.db")) as store:
        yield Target(store, store.acquire_lease("import"))


def exported(store: IngestStore, *, evidence_only: bool = False) -> bytes:
    out = io.BytesIO()
    write_export(store, out, evidence_only=evidence_only)
    return out.getvalue()


def verified(export: bytes, *heads: Head) -> Verified:
    verification = Verification(heads)
    for line in read_export(io.BytesIO(export)):
        verification.take(line.line)
    return verification.result()


def head_of(export: bytes) -> Head:
    return Head.parse(json.loads(export.splitlines()[-1])["head"])


def lines_of(export: bytes) -> list[bytes]:
    return export.splitlines(keepends=True)


def state_of(store: IngestStore) -> tuple[object, ...]:
    """All that a caller can see; but for what was owed, which no export holds unless a gap names it."""
    progress = store.progress()
    return (
        store.binding(),
        store.read_after(0, 1_000),
        store.read_vault("vault", through_position=1_000),
        store.contested_between(0, 1_000),
        store.read_contested("signature-4", through_position=1_000),
        store.gaps(),
        store.unsettled(100, 100),
        store.last_coverage(),
        (progress.coverage, progress.unsettled),
        exported(store),
    )


def test_what_is_imported_into_an_empty_store_is_the_same_store(filled: IngestStore, empty: Target) -> None:
    export = exported(filled)
    assert empty.take(export, head_of(export)) == Imported(facts=11, known=0, evidence=6)
    assert state_of(empty.store) == state_of(filled)
    assert empty.store.owed(10) == [Owed("signature-9", 9, None)], "a gap names it"
    assert empty.store.progress().discovered_through == 4, "what is above coverage is searched for again"


def test_an_export_of_a_file_fills_a_server_as_well(
    store: IngestStore, epoch: int, empty: Target, deposit: Deposit
) -> None:
    empty.store.bind(BINDING)
    fill(empty.store, empty.epoch, deposit)
    Target(store, epoch).take(exported(empty.store))
    assert state_of(store) == state_of(empty.store)


def test_a_store_that_holds_a_prefix_gets_the_rest(
    filled: IngestStore, epoch: int, empty: Target, deposit: Deposit
) -> None:
    empty.take(exported(filled))
    filled.settle(epoch, [Inclusion("signature-5", 5)])
    filled.append([deposit(20), deposit(21)], [evidence(20), evidence(21)])
    export = exported(filled)
    assert empty.take(export) == Imported(facts=2, known=11, evidence=2)
    assert state_of(empty.store) == state_of(filled)
    assert empty.take(export) == Imported(facts=0, known=13, evidence=0)


def test_a_store_goes_on_after_an_import_as_any_other(filled: IngestStore, empty: Target, deposit: Deposit) -> None:
    empty.take(exported(filled))
    epoch = empty.epoch
    assert empty.store.append([deposit(1, amount=2**64 - 1)], [evidence(1)]).stored == 0
    assert empty.store.append([deposit(30)], [evidence(30)]).last_position == 12
    found = [Owed("signature-30", 30, None), Owed("signature-2", 2, None), Owed("signature-31", 31, None)]
    walk = empty.store.record_page(epoch, empty.store.next_walk(31), found, None, met_floor=True)
    assert (walk.floor, empty.store.owed(10)) == (4, [Owed("signature-9", 9, None), Owed("signature-31", 31, None)])
    again = empty.store.append([], [evidence(4)], epoch=epoch)
    kinds = [type(stored.fact) for stored in empty.store.read_after(again.last_position - 1, 1)]
    assert kinds == [TransactionReinstated], "what was reverted is known to have been"


def test_a_store_that_holds_something_else_is_left_as_it_is(
    filled: IngestStore, empty: Target, deposit: Deposit
) -> None:
    export = exported(filled)
    empty.store.bind(BINDING)
    empty.store.append([deposit(99)])
    before = state_of(empty.store)
    with pytest.raises(ImportRefused, match=r"imported\.db at position 1: it holds something else"):
        empty.take(export)
    assert state_of(empty.store) == before


def test_an_export_that_lacks_what_the_store_holds_is_refused(
    filled: IngestStore, empty: Target, deposit: Deposit
) -> None:
    filled.append([deposit(98)])
    empty.take(exported(filled))
    filled.append([deposit(99)])
    lines = lines_of(exported(filled))
    with pytest.raises(ImportRefused, match="at position 12: the export lacks the fact that it holds there"):
        empty.take(b"".join(rehashed([*lines[:12], *lines[13:]])))
    with pytest.raises(ImportRefused, match="at position 3: it holds something else"):
        empty.take(b"".join(rehashed([*lines[:3], *lines[4:]])))


def test_the_export_of_another_chain_or_program_is_refused(filled: IngestStore, empty: Target) -> None:
    export = exported(filled)
    empty.store.bind(Binding(BINDING.genesis_hash, "another"))
    with pytest.raises(WrongProgram):
        empty.take(export)
    with pytest.raises(WrongChain):
        empty.take(export.replace(b'"genesisHash":"genesis"', b'"genesisHash":"another"'))


def test_a_store_that_nothing_was_stored_in_cannot_be_exported(empty: Target) -> None:
    with pytest.raises(StoreUnbound):
        exported(empty.store)


def test_what_is_written_during_an_export_is_not_in_it(
    filled: IngestStore, open_store: Opener, deposit: Deposit
) -> None:
    before = exported(filled)
    other, out = open_store(), io.BytesIO()

    def write_more(done: Exported) -> None:
        other.append([deposit(50 + done.facts + done.evidence)], [evidence(50 + done.facts + done.evidence)])

    write_export(filled, out, report=write_more)
    assert out.getvalue() == before


def test_an_export_verifies_against_its_head_and_earlier_ones(
    filled: IngestStore, epoch: int, deposit: Deposit
) -> None:
    early = head_of(exported(filled))
    filled.append([deposit(60), deposit(61)])
    export = exported(filled)
    found = verified(export, head_of(export), early)
    assert (found.facts, found.evidence, found.findings) == (13, 6, {})
    assert str(found.head) == json.loads(export.splitlines()[-1])["head"]


Tamper = Callable[[list[bytes]], list[bytes]]
TAMPERED: dict[str, tuple[Tamper, dict[int, str]]] = {
    "a changed amount": (lambda x: [*x[:3], x[3].replace(b'"state":"', b'"state":"AAAA'), *x[4:]], {3: "changed"}),
    "a later time": (
        lambda x: [*x[:3], x[3].replace(b'"recordedAtUs":1', b'"recordedAtUs":2'), *x[4:]],
        {3: "changed"},
    ),
    "a missing fact": (lambda x: x[:3] + x[4:], {4: "facts between position 2 and this one are missing"}),
    "a fact put in": (lambda x: [*x[:3], x[2].replace(b'"position":2', b'"position":3'), *x[4:]], {3: "changed"}),
    "a doubled fact": (lambda x: [*x[:4], x[3], *x[4:]], {3: "moved or doubled"}),
    "two facts exchanged": (
        lambda x: [*x[:3], x[4], x[3], *x[5:]],
        {4: "facts between position 2 and this one are missing", 3: "moved or doubled"},
    ),
    "the last fact missing": (lambda x: x[:11] + x[12:], {11: "missing: the export ends at position 10"}),
    "evidence missing": (lambda x: x[:-2] + x[-1:], {11: "it ends with 11 and 5, where it says 11 facts and 6"}),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_done_to_an_export_is_found_and_named(what: str, filled: IngestStore, empty: Target) -> None:
    tamper, expected = TAMPERED[what]
    export = exported(filled)
    tampered = b"".join(tamper(lines_of(export)))
    assert tampered != export
    findings = verified(tampered, head_of(export)).findings
    for position, start in expected.items():
        assert findings[position].startswith(start), findings
    with pytest.raises(ExportInvalid, match="is not what was published"):
        empty.take(tampered, head_of(export))
    assert (empty.store.binding(), empty.store.last_position()) == (None, 0)


def test_a_fact_that_was_added_with_a_hash_of_its_own_is_named(filled: IngestStore, deposit: Deposit) -> None:
    whole = lines_of(exported(filled))
    lacking = whole[:5] + whole[6:]
    forged = rehashed(lacking)
    inserted = b"".join([*forged[:5], *rehashed(whole)[5:6], *forged[5:]])
    findings = verified(inserted).findings
    assert findings[5].startswith("added: the fact after it was hashed without it"), findings


def test_an_export_whose_hashes_were_all_made_anew_fits_no_published_head(
    filled: IngestStore, epoch: int, deposit: Deposit
) -> None:
    early = head_of(exported(filled))
    filled.append([deposit(60), deposit(61)])
    late = exported(filled)
    lines = lines_of(late)
    forged = b"".join(rehashed([*lines[:13], *lines[14:]]))  # without the last fact
    assert verified(forged).findings == {}, "the file agrees with itself"
    assert verified(forged, early).findings == {}, "what is before it is as it was"
    findings = verified(forged, early, head_of(late)).findings
    assert list(findings) == [13]
    changed = b"".join(rehashed([lines[0], *lines[2:]]))
    findings = verified(changed, early, head_of(late)).findings
    assert findings[11].startswith("its facts do not hash to the published head: look from the first fact on")


def rehashed(lines: list[bytes]) -> list[bytes]:
    """As somebody writes it who knows how: digests, hashes, counts and head are those of what is left."""
    head, facts, made = Head(), 0, []
    for numbered in read_export(io.BytesIO(b"".join(lines))):
        line = json.loads(lines[numbered.number - 1])
        if line["kind"] == "fact":
            head = head.linked(line["position"], bytes.fromhex(line["digest"]))
            line["hash"] = head.hash.hex()
            facts += 1
        elif line["kind"] == "end":
            line |= {"facts": facts, "head": str(head)}
        made.append(json.dumps(line).encode() + b"\n")
    return made


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "line 1 of the export: it ends before its end: the file was cut off"),
        (b"\n", "line 1 of the export: it is no line of an export"),
        (b'{"kind":"end","facts":0,"evidence":0,"head":""}\n', "the header is the first line"),
        (b'{"kind":"header","version":2,"genesisHash":"","programId":"","contents":"store"}\n', "it is of version 2"),
        (b"\xff\n", "it is no line of an export"),
        (b"[" * 100_000 + b"\n", "it is no line of an export"),
    ],
)
def test_what_is_no_export_is_refused(bad: bytes, reason: str, empty: Target) -> None:
    with pytest.raises(ExportInvalid) as refused:
        empty.take(bad)
    assert reason in str(refused.value)


def test_an_export_that_was_cut_off_is_refused(filled: IngestStore, empty: Target) -> None:
    lines = lines_of(exported(filled))
    with pytest.raises(ExportInvalid, match="the file was cut off"):
        empty.take(b"".join(lines[:-1]))
    with pytest.raises(ExportInvalid, match="there is something after the end"):
        empty.take(b"".join([*lines, lines[-1]]))
    assert empty.store.last_position() == 0


@pytest.mark.parametrize("field", ["position", "recordedAtUs"])
@pytest.mark.parametrize("value", [-1, 2**63, 2**64])
def test_numbers_that_no_store_can_hold_are_refused(field: str, value: int, filled: IngestStore, empty: Target) -> None:
    lines = lines_of(exported(filled))
    last = json.loads(lines[11]) | {field: value}
    with pytest.raises(ExportInvalid):
        empty.take(b"".join([*lines[:11], json.dumps(last).encode() + b"\n", *lines[12:]]))


@pytest.mark.parametrize("text", ["", "12", "x:" + "0" * 64, "1:" + "0" * 63, "1:" + "G" * 64, "-1:" + "0" * 64])
def test_a_head_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(HeadMalformed):
        Head.parse(text)


def test_better_evidence_replaces_worse_and_not_the_other_way_round(store: IngestStore) -> None:
    worse, better = evidence(1)._replace(body=b"worse", quality=1), evidence(1)._replace(body=b"better", quality=3)
    for one in (worse, better, worse):
        store.append([], [one])
    with store.snapshot() as snapshot:
        (stored,) = snapshot.evidence_after(0, "", 10)
    assert (stored.quality, stored.body) == (3, compressed(store, b"better"))


def compressed(store: IngestStore, body: bytes) -> bytes:
    store.append([], [Evidence("another", 2, 0, None, body, "", True, 0)])
    with store.snapshot() as snapshot:
        return snapshot.evidence_after(0, "", 10)[-1].body


def test_a_reader_sees_one_moment(store: IngestStore, url: str, deposit: Deposit) -> None:
    facts: list[Fact] = [deposit(1)]
    store.append(facts)
    with closing(open_fact_reader(url)) as reader, reader.snapshot() as snapshot:
        assert len(snapshot.bytes_after(0, 10)) == 1
        store.append([deposit(2)])
        assert len(snapshot.bytes_after(0, 10)) == 1
