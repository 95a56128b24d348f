"""The writing side of an event store, whatever it is kept in: facts, evidence and the state of the search together."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import zstandard

from eventstore import search, settlement, topics
from eventstore.backend import Backend, EncodedFact, Transaction, Value
from eventstore.conflicts import find_conflicts
from eventstore.errors import LeaseLost, WrongChain, WrongProgram
from eventstore.facts import ChainFact, CoverageAdvanced, Fact
from eventstore.identity import key_of, streams_of
from eventstore.importing import StoreImport
from eventstore.indexing import index
from eventstore.port import (
    Appended,
    Backfill,
    Binding,
    Decode,
    Evidence,
    Gap,
    Inclusion,
    Owed,
    Progress,
    Reverted,
    StoredFact,
    Walk,
)
from eventstore.reader import FACT_COLUMNS, StoreReader
from eventstore.snapshot import integer_of, read_binding
from eventstore.tables import BACKFILL, BEGINNING_TOPIC, BINDING, EVIDENCE, OWED, UNDECODED_TOPIC

STANDS = "NOT EXISTS (SELECT 1 FROM reverts WHERE reinstated = 0 AND signature = e.signature AND slot = e.slot)"
SETTLED = f"{STANDS} AND NOT EXISTS (SELECT 1 FROM unsettled WHERE signature = e.signature AND slot = e.slot)"
COMPRESSION = 1  # level: in two thirds of the time that the default takes, for one hundredth more


class EventStore(StoreReader):
    """Implements IngestStore: creates the store if there is none, unless told not to. For one thread."""

    def __init__(self, backend: Backend, now_s: Callable[[], float] = time.time, *, create: bool = True) -> None:
        super().__init__(backend, create=create)
        self.now_s = now_s
        self._compressor = zstandard.ZstdCompressor(level=COMPRESSION)
        self._beside = ThreadPoolExecutor(1, "compression")

    def bind(self, binding: Binding) -> None:
        bound = self.binding()
        if bound is not None:
            self._check_binding(bound, binding)  # without a write: it may be a look at a read-only store
            return
        with self._writing(None) as t:
            self._bind(t, binding)

    def acquire_lease(self, holder: str) -> int:
        self.backend.acquire_lease(holder)
        with self._writing(None) as t:
            return int(t.rows("UPDATE ingest_state SET epoch = epoch + 1 RETURNING epoch")[0][0])

    def progress(self) -> Progress:
        with self.backend.reading() as t:
            return search.progress(t)

    def last_coverage(self) -> StoredFact | None:
        with self.backend.reading() as t:
            rows = t.rows(f"SELECT {FACT_COLUMNS} FROM ingest_state JOIN facts ON facts.position = coverage_position")
        return self._stored_fact(rows[0]) if rows else None

    def sample_inclusion(self, through_slot: int, *, settled: bool) -> Inclusion | None:
        with self.backend.reading() as t:
            rows = t.rows(
                f"SELECT signature, slot FROM evidence e WHERE slot <= ? AND {SETTLED if settled else STANDS}"
                " ORDER BY slot DESC LIMIT 1",
                (through_slot,),
            )
        return Inclusion(*rows[0]) if rows else None

    def undecoded(self) -> int:
        with self.backend.reading() as t:
            return int(t.rows(f"SELECT COUNT(*) FROM facts WHERE topic = '{UNDECODED_TOPIC}'")[0][0])

    def holds_beginning(self) -> bool:
        with self.backend.reading() as t:
            rows = t.rows(f"SELECT {FACT_COLUMNS} FROM facts WHERE topic = '{BEGINNING_TOPIC}'")
            reverted = {Inclusion(*row) for row in t.rows("SELECT signature, slot FROM reverts WHERE reinstated = 0")}
        beginnings = [stored.fact for stored in map(self._stored_fact, rows) if isinstance(stored.fact, ChainFact)]
        return any(Inclusion(fact.signature, fact.slot) not in reverted for fact in beginnings)

    def enqueue(self, found: Sequence[Owed], *, head: int) -> list[Owed]:
        with self.backend.reading() as t:
            new = search.not_known(t, found, head=head)
        if new:
            with self._writing(None) as t:
                new = search.not_known(t, new, head=head)
                search.owe(t, new)
        return new

    def backfill(self) -> Backfill | None:
        with self.backend.reading() as t:
            rows = t.rows("SELECT from_slot, head, slot, cursor, listed, queued FROM backfill")
        return Backfill(*rows[0]) if rows else None

    def keep_backfill(self, backfill: Backfill | None) -> None:
        with self._writing(None) as t:
            t.execute("DELETE FROM backfill")
            if backfill is not None:
                t.insert(BACKFILL, [backfill])

    def owed(self, limit: int) -> list[Owed]:
        with self.backend.reading() as t:
            return search.lowest_owed(t, limit)

    def next_walk(self, head: int) -> Walk:
        progress = self.progress()
        floor = max((walk.head for walk in progress.walks), default=progress.discovered_through)
        return Walk(None, floor, max(head, floor), None)

    def record_page(
        self, epoch: int, walk: Walk, found: Sequence[Owed], cursor: str | None, *, met_floor: bool
    ) -> Walk:
        with self.backend.reading() as t:
            new = search.not_known(t, found, head=walk.head)
            moves = walk.walk_id is not None or not met_floor or walk.head > search.progress(t).discovered_through
        if not new and not moves:
            return walk
        with self._writing(epoch) as t:
            search.owe(t, new)
            return search.finish_walk(t, walk) if met_floor else search.move_walk(t, walk, cursor)

    def append(
        self,
        facts: Sequence[Fact],
        evidence: Sequence[Evidence] = (),
        *,
        no_longer_owed: Sequence[Inclusion] = (),
        epoch: int | None = None,
    ) -> Appended:
        fenced = bool(no_longer_owed) or any(isinstance(fact, CoverageAdvanced) for fact in facts)
        assert epoch is not None or not fenced, "leaving the owed queue and coverage need the lease's epoch"
        compressing = self._beside.submit(self._compressed, evidence)
        encoded = _encoded(facts)
        with self._writing(epoch) as t:
            now_us = self._recorded_at_us(t)
            positions, conflicts = _append_facts(t, facts, encoded, now_us)
            settlement.unsettle(t, evidence)
            about_inclusions = [
                *settlement.late(t, evidence),
                *settlement.reinstate(t, evidence),
                *settlement.close_gaps(t, no_longer_owed),
                *settlement.settle(t, [Inclusion(e.signature, e.slot) for e in evidence if e.is_final]),
            ]
            _insert_evidence(
                t,
                [
                    (e.slot, e.signature, e.transaction_index, e.block_time, body, e.endpoint, now_us, e.quality)
                    for e, body in zip(evidence, compressing.result(), strict=True)
                ],
            )
            t.delete(OWED, [(slot, signature) for signature, slot in no_longer_owed])
            _advance_coverage(t, facts, positions)
            also = self._append_now(t, about_inclusions)
        return Appended(sum(p is not None for p in positions) + also.stored, conflicts, also.last_position)

    def unsettled(self, through_slot: int, limit: int) -> list[Inclusion]:
        with self.backend.reading() as t:
            return settlement.unsettled(t, through_slot, limit)

    def settled_between(self, from_slot: int, through_slot: int) -> list[Inclusion]:
        with self.backend.reading() as t:
            rows = t.rows(
                f"SELECT signature, slot FROM evidence e WHERE slot BETWEEN ? AND ? AND {SETTLED}"
                " ORDER BY slot, signature",
                (from_slot, through_slot),
            )
        return [Inclusion(*row) for row in rows]

    def settle(
        self,
        epoch: int,
        settled: Sequence[Inclusion],
        reverted: Sequence[Reverted] = (),
        found: Sequence[Owed] = (),
    ) -> Appended:
        over = [*settled, *(r.inclusion for r in reverted)]
        with self._writing(epoch) as t:
            search.owe(t, search.not_known(t, found, head=-1))
            facts: list[Fact] = [
                *settlement.revert(t, reverted),
                *settlement.settle(t, settled),
                *settlement.close_gaps(t, over),
            ]
            return self._append_now(t, facts)

    def find_gaps(self, epoch: int, gaps: Sequence[Gap]) -> Appended:
        with self._writing(epoch) as t:
            return self._append_now(t, settlement.find_gaps(t, gaps))

    def close_gaps(self, epoch: int, from_slot: int, reason: str) -> Appended:
        with self._writing(epoch) as t:
            there = [gap for gap in settlement.gaps(t) if gap.signature is None and gap.from_slot == from_slot]
            return self._append_now(t, [fact for gap in there for fact in settlement.close_gap(t, gap, reason)])

    def gaps(self) -> list[Gap]:
        with self.backend.reading() as t:
            return settlement.gaps(t)

    def accept_gap(self, gap: Gap, *, operator: str, reason: str) -> bool:
        with self._writing(None) as t:
            return self._append_now(t, settlement.accept_gap(t, gap, operator, reason)).stored > 0

    def latest_decode(self, inclusion: Inclusion) -> Decode:
        latest = Decode(-1, [])
        with self.backend.reading() as t:
            for revision in itertools.count():
                streams = streams_of(inclusion.slot, inclusion.signature, revision)
                rows = t.rows(
                    f"SELECT {FACT_COLUMNS} FROM facts WHERE originator_id IN (?, ?, ?) ORDER BY position", streams
                )
                if not rows:
                    return latest
                latest = Decode(revision, [self._stored_fact(row).fact for row in rows])
        raise AssertionError("revisions are counted without an end")

    @contextmanager
    def importing(self, epoch: int, binding: Binding) -> Iterator[StoreImport]:
        with self._writing(epoch) as t:
            self._bind(t, binding)
            yield StoreImport(t, self.backend.where)

    def close(self) -> None:
        self._beside.shutdown()
        super().close()

    def _compressed(self, evidence: Sequence[Evidence]) -> list[bytes]:
        """In one call, which leaves the interpreter to the thread that writes meanwhile."""
        bodies = [e.body for e in evidence]
        if not any(bodies):  # which that call refuses
            return [self._compressor.compress(body) for body in bodies]
        frames = self._compressor.multi_compress_to_buffer([*bodies])
        return [frames[number].tobytes() for number in range(len(frames))]

    def _append_now(self, t: Transaction, facts: Sequence[Fact]) -> Appended:
        now_us = self._recorded_at_us(t) if facts else 0
        positions, conflicts = _append_facts(t, facts, _encoded(facts), now_us)
        last = t.rows("SELECT MAX(position) FROM facts")[0][0] or 0
        return Appended(sum(p is not None for p in positions), conflicts, last)

    def _bind(self, t: Transaction, binding: Binding) -> None:
        bound = read_binding(t)
        if bound is None:
            t.insert(BINDING, [binding])
        else:
            self._check_binding(bound, binding)

    def _check_binding(self, bound: Binding, binding: Binding) -> None:
        if bound.genesis_hash != binding.genesis_hash:
            raise WrongChain(self.backend.where, "genesis hash", bound.genesis_hash, binding.genesis_hash)
        if bound.program_id != binding.program_id:
            raise WrongProgram(self.backend.where, bound.program_id, binding.program_id)

    @contextmanager
    def _writing(self, epoch: int | None) -> Iterator[Transaction]:
        """A transaction that has the store to itself; with an epoch, only if that is the newest."""
        if epoch is not None and not self.backend.holds_lease():
            raise LeaseLost(self.backend.where, epoch)
        with self.backend.writing() as t:
            if epoch is not None and t.rows("SELECT epoch FROM ingest_state")[0][0] != epoch:
                raise LeaseLost(self.backend.where, epoch)
            yield t

    def _recorded_at_us(self, t: Transaction) -> int:
        rows = t.rows("SELECT position, recorded_at_us FROM facts ORDER BY position DESC LIMIT 1")
        last_us = integer_of(self.backend.where, rows[0][0], "recorded_at_us", rows[0][1]) if rows else 0
        return max(int(self.now_s() * 1_000_000), last_us)


def _encoded(facts: Sequence[Fact]) -> list[EncodedFact]:
    return [EncodedFact(*key_of(fact), topics.topic_of(fact), topics.encode(fact)) for fact in facts]


def _append_facts(
    t: Transaction, facts: Sequence[Fact], encoded: Sequence[EncodedFact], now_us: int
) -> tuple[list[int | None], int]:
    """Positions aligned with `facts`, and the number of conflicts."""
    positions = t.append_new(encoded, now_us)
    known = [(fact, e) for fact, e, position in zip(facts, encoded, positions, strict=True) if position is None]
    conflicts = find_conflicts(t, known)
    if conflicts:
        _append_facts(t, conflicts, _encoded(conflicts), now_us)
    index(t, [(f, position) for f, position in zip(facts, positions, strict=True) if position is not None])
    return positions, len(conflicts)


def _insert_evidence(t: Transaction, rows: Sequence[Sequence[Value]]) -> None:
    """What is better replaces what is worse."""
    if t.insert(EVIDENCE, rows) < len(rows):
        for slot, signature, *_, quality in rows:
            worse = "DELETE FROM evidence WHERE slot = ? AND signature = ? AND quality < ?"
            t.execute(worse, (slot, signature, quality))
        t.insert(EVIDENCE, rows)


def _advance_coverage(t: Transaction, facts: Sequence[Fact], positions: Sequence[int | None]) -> None:
    for fact, position in zip(facts, positions, strict=True):
        if isinstance(fact, CoverageAdvanced) and position is not None:
            progress = search.progress(t)
            assert progress.coverage < fact.through_slot <= progress.complete_through, (fact, progress)
            t.execute("UPDATE ingest_state SET coverage = ?, coverage_position = ?", (fact.through_slot, position))
