"""An export into a store that is empty, or that holds a prefix of it: afterwards both hold the same."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from typing import BinaryIO

from eventstore import search, settlement, topics
from eventstore.backend import Transaction
from eventstore.errors import ExportInvalid, FactCorrupt, ImportRefused, TopicUnknown
from eventstore.export import EvidenceLine, FactLine, Header, NumberedLine, binding_of, read_export
from eventstore.facts import CoverageAdvanced, Fact
from eventstore.hash_chain import Head
from eventstore.identity import key_of
from eventstore.indexing import index
from eventstore.port import Imported, IngestStore, Owed, StoredBytes, StoredEvidence
from eventstore.snapshot import StoreSnapshot
from eventstore.tables import EVIDENCE, UNSETTLED
from eventstore.verify import Verification

BATCH = 1_000


class StoreImport:
    """Implements Import, within one transaction."""

    def __init__(self, transaction: Transaction, where: str) -> None:
        self._t, self._where = transaction, where
        self._store = StoreSnapshot(transaction, where)
        self._there = transaction.rows("SELECT MAX(position) FROM facts")[0][0] or 0
        self._compared = 0
        self._facts = self._known = self._evidence = 0

    def add_facts(self, facts: Sequence[StoredBytes]) -> None:
        known = [fact for fact in facts if fact.position <= self._there]
        self._compare(known)
        self._known += len(known)
        new = facts[len(known) :]
        if not new:
            return
        if self._compared < self._there:
            raise ImportRefused(self._where, self._there, "the export lacks the fact that it holds there")
        said = [(_decoded(self._where, fact), fact.position) for fact in new]
        if self._t.append_at(new) < len(new):
            raise ImportRefused(self._where, new[0].position, "the export says something twice from there on")
        for batch in _up_to_coverage(said):
            index(self._t, batch)
            for fact, position in batch:
                self._keep_state(fact, position)
        self._facts += len(new)

    def add_evidence(self, evidence: Sequence[StoredEvidence]) -> None:
        new = settlement.not_stored(self._t, evidence)
        rows = [
            (e.slot, e.signature, e.transaction_index, e.block_time, e.body, e.endpoint, e.recorded_at_us, e.quality)
            for e in new
        ]
        self._evidence += self._t.insert(EVIDENCE, rows)
        self._t.insert(UNSETTLED, [(e.slot, e.signature) for e in new if not e.is_settled])
        self._t.delete(UNSETTLED, [(e.slot, e.signature) for e in evidence if e.is_settled])

    def finish(self) -> Imported:
        """What coverage says is found need not be searched for again."""
        self._t.execute("UPDATE ingest_state SET discovered_through = coverage WHERE discovered_through < coverage")
        missing = [Owed(gap.signature, gap.from_slot, None) for gap in settlement.gaps(self._t) if gap.signature]
        search.owe(self._t, search.not_known(self._t, missing, head=-1))
        return Imported(self._facts, self._known, self._evidence)

    def _compare(self, known: Sequence[StoredBytes]) -> None:
        stored = self._store.bytes_after(self._compared, len(known))
        for ours, theirs in zip(stored, known, strict=False):
            if ours != theirs:
                where = min(ours.position, theirs.position)
                raise ImportRefused(self._where, where, "it holds something else there than the export")
        if known:
            self._compared = known[-1].position

    def _keep_state(self, fact: Fact, position: int) -> None:
        settlement.keep(self._t, fact)
        if isinstance(fact, CoverageAdvanced):
            change = (fact.through_slot, position, fact.through_slot)
            self._t.execute("UPDATE ingest_state SET coverage = ?, coverage_position = ? WHERE coverage < ?", change)


def _decoded(where: str, stored: StoredBytes) -> Fact:
    try:
        fact = topics.decode(stored.topic, stored.state)
    except (TopicUnknown, FactCorrupt) as error:
        raise ImportRefused(where, stored.position, f"the export's fact cannot be read: {error}") from error
    if key_of(fact) != stored.key:
        raise ImportRefused(where, stored.position, "the export's fact has the key of another")
    return fact


def _up_to_coverage(said: Sequence[tuple[Fact, int]]) -> Iterator[list[tuple[Fact, int]]]:
    """Runs of facts, each with one CoverageAdvanced at most, as its last."""
    batch: list[tuple[Fact, int]] = []
    for fact, position in said:
        batch.append((fact, position))
        if isinstance(fact, CoverageAdvanced):
            yield batch
            batch = []
    yield batch


def import_export(
    store: IngestStore,
    epoch: int,
    source: BinaryIO,
    *,
    heads: Sequence[Head] = (),
    report: Callable[[NumberedLine], None] = lambda _: None,
) -> Imported:
    """All of it or nothing, after its hash chain was checked, with `heads` that were published, if there are any.

    Raises ExportInvalid, ImportRefused, WrongChain or WrongProgram; `report` is called with each line.
    """
    verification = Verification(heads)
    lines = read_export(source)
    header = next(lines).line
    assert isinstance(header, Header), "read_export begins with one"
    if header.contents != "store":
        raise ExportInvalid(1, "it holds evidence alone")
    with store.importing(epoch, binding_of(header)) as target:
        for kind, of_kind in groupby(lines, lambda numbered: type(numbered.line)):
            while batch := list(islice(of_kind, BATCH)):
                for numbered in batch:
                    verification.take(numbered.line)
                    report(numbered)
                _refuse_findings(verification, batch[-1].number)
                if kind is FactLine:
                    target.add_facts([n.line.stored() for n in batch if isinstance(n.line, FactLine)])
                elif kind is EvidenceLine:
                    target.add_evidence([n.line.stored() for n in batch if isinstance(n.line, EvidenceLine)])
        return target.finish()


def _refuse_findings(verification: Verification, line: int) -> None:
    for position, what in verification.result().findings.items():
        raise ExportInvalid(line, f"its fact at position {position} is not what was published: {what}")
