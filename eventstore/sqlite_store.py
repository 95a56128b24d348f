"""The writing side of an event store in one SQLite file: facts, evidence and the state of the search together."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import zstandard
from eventsourcing.sqlite import SQLiteCursor
from msgspec import structs

from eventstore import topics
from eventstore.errors import LeaseLost, WrongChain, WrongProgram
from eventstore.facts import ChainFact, ContentConflictFound, CoverageAdvanced, Fact
from eventstore.identity import key_of, vaults_of
from eventstore.port import Appended, Binding, Evidence, Inclusion, Owed, Progress, StoredFact, Walk
from eventstore.sqlite_errors import sqlite_errors_named
from eventstore.sqlite_lease import FileLease
from eventstore.sqlite_reader import FACT_COLUMNS, SQLiteFactReader, stored_fact
from eventstore.sqlite_recorder import BEGINNING_TOPIC, EncodedFact


class SQLiteEventStore(SQLiteFactReader):
    """Implements IngestStore: creates the file if there is none, unless told not to. For one thread."""

    def __init__(self, path: Path, now_s: Callable[[], float] = time.time, *, create: bool = True) -> None:
        if create:
            with sqlite_errors_named(path):
                path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, create=create)
        self.now_s = now_s
        self.lease = FileLease(path)
        self.compressor = zstandard.ZstdCompressor(level=3)

    def bind(self, binding: Binding) -> None:
        bound = self.binding()
        if bound is None:
            with self._writing(None) as c:
                c.execute("INSERT INTO binding VALUES (?, ?)", binding)
        elif bound.genesis_hash != binding.genesis_hash:
            raise WrongChain(str(self.path), "genesis hash", bound.genesis_hash, binding.genesis_hash)
        elif bound.program_id != binding.program_id:
            raise WrongProgram(str(self.path), bound.program_id, binding.program_id)

    def acquire_lease(self, holder: str) -> int:
        self.lease.acquire(holder)
        with self._writing(None) as c:
            c.execute("UPDATE ingest_state SET epoch = epoch + 1 RETURNING epoch")
            return int(c.fetchone()[0])

    def progress(self) -> Progress:
        with self.reading() as c:
            return _progress(c)

    def last_coverage(self) -> StoredFact | None:
        with self.reading() as c:
            c.execute(
                f"SELECT {FACT_COLUMNS} FROM ingest_state JOIN stored_events ON stored_events.rowid = coverage_position"
            )
            row = c.fetchone()
        return stored_fact(row) if row else None

    def sample_inclusion(self, through_slot: int) -> Inclusion | None:
        with self.reading() as c:
            c.execute(
                "SELECT signature, slot FROM evidence WHERE slot <= ? ORDER BY slot DESC LIMIT 1", (through_slot,)
            )
            row = c.fetchone()
        return Inclusion(*row) if row else None

    def holds_beginning(self) -> bool:
        with self.reading() as c:
            c.execute(f"SELECT EXISTS (SELECT 1 FROM stored_events WHERE topic = '{BEGINNING_TOPIC}')")
            return bool(c.fetchone()[0])

    def owed(self, limit: int) -> list[Owed]:
        with self.reading() as c:
            c.execute("SELECT signature, slot, block_time FROM owed ORDER BY slot LIMIT ?", (limit,))
            return [Owed(*row) for row in c.fetchall()]

    def next_walk(self, head: int) -> Walk:
        progress = self.progress()
        floor = max((walk.head for walk in progress.walks), default=progress.discovered_through)
        return Walk(None, floor, max(head, floor), None)

    def record_page(
        self, epoch: int, walk: Walk, found: Sequence[Owed], cursor: str | None, *, met_floor: bool
    ) -> Walk:
        with self.reading() as c:
            new = [o for o in found if not _is_known(c, o)]
            moves = walk.walk_id is not None or not met_floor or walk.head > _progress(c).discovered_through
        if not new and not moves:
            return walk
        with self._writing(epoch) as c:
            c.executemany("INSERT INTO owed (signature, slot, block_time) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", new)
            return _finish_walk(c, walk) if met_floor else _move_walk(c, walk, cursor)

    def append(
        self,
        facts: Sequence[Fact],
        evidence: Sequence[Evidence] = (),
        *,
        settles: Sequence[Inclusion] = (),
        epoch: int | None = None,
    ) -> Appended:
        fenced = bool(settles) or any(isinstance(fact, CoverageAdvanced) for fact in facts)
        assert epoch is not None or not fenced, "leaving the owed queue and coverage need the lease's epoch"
        bodies = [self.compressor.compress(e.body) for e in evidence]
        with self._writing(epoch) as c:
            now_us = self._recorded_at_us(c)
            positions, conflicts = self._append_facts(c, facts, now_us)
            c.executemany(
                "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [
                    (e.slot, e.signature, e.transaction_index, e.block_time, body, e.endpoint, now_us)
                    for e, body in zip(evidence, bodies, strict=True)
                ],
            )
            c.executemany("DELETE FROM owed WHERE signature = ? AND slot = ?", settles)
            _advance_coverage(c, facts, positions)
            last = self.recorder.last_position(c)
        return Appended(sum(p is not None for p in positions), conflicts, last)

    def close(self) -> None:
        super().close()
        self.lease.release()

    @contextmanager
    def _writing(self, epoch: int | None) -> Iterator[SQLiteCursor]:
        """A transaction that holds the write lock from its first statement, which is the fence as well."""
        with sqlite_errors_named(self.path), self.datastore.transaction(commit=True) as c:
            c.execute("UPDATE ingest_state SET epoch = epoch WHERE epoch = coalesce(?, epoch)", (epoch,))
            if epoch is not None and c.sqlite_cursor.rowcount == 0:
                raise LeaseLost(str(self.path), epoch)
            yield c

    def _recorded_at_us(self, c: SQLiteCursor) -> int:
        c.execute("SELECT recorded_at_us FROM stored_events ORDER BY rowid DESC LIMIT 1")
        row = c.fetchone()
        return max(int(self.now_s() * 1_000_000), row[0] if row else 0)

    def _append_facts(self, c: SQLiteCursor, facts: Sequence[Fact], now_us: int) -> tuple[list[int | None], int]:
        """Positions aligned with `facts`, and the number of conflicts."""
        encoded = [EncodedFact(*key_of(fact), topics.topic_of(fact), topics.encode(fact)) for fact in facts]
        positions = self.recorder.append_new(c, encoded, now_us)
        known = [(fact, e) for fact, e, position in zip(facts, encoded, positions, strict=True) if position is None]
        conflicts = [conflict for fact, e in known if (conflict := _conflict(c, fact, e)) is not None]
        if conflicts:
            self._append_facts(c, conflicts, now_us)
        c.executemany(
            "INSERT INTO vault_index VALUES (?, ?, ?, ?, ?)",
            [
                (vault, fact.slot, fact.transaction_index, fact.ordinal, position)
                for fact, position in zip(facts, positions, strict=True)
                if position is not None and isinstance(fact, ChainFact)
                for vault in vaults_of(fact)
            ],
        )
        return positions, len(conflicts)


def _progress(c: SQLiteCursor) -> Progress:
    c.execute("SELECT discovered_through, coverage FROM ingest_state")
    discovered_through, coverage = c.fetchone()
    c.execute("SELECT walk_id, floor, head, cursor FROM walks ORDER BY floor DESC, head DESC")
    walks = tuple(Walk(*row) for row in c.fetchall())
    c.execute("SELECT COUNT(*), MIN(slot) FROM owed")
    owed, lowest = c.fetchone()
    frontier = discovered_through if lowest is None else min(discovered_through, lowest - 1)
    return Progress(discovered_through, walks, owed, frontier, coverage)


def _is_known(c: SQLiteCursor, owed: Owed) -> bool:
    key = {"signature": owed.signature, "slot": owed.slot}
    c.execute(
        "SELECT EXISTS (SELECT 1 FROM evidence WHERE slot = :slot AND signature = :signature)"
        " OR EXISTS (SELECT 1 FROM owed WHERE slot = :slot AND signature = :signature)",
        key,
    )
    return bool(c.fetchone()[0])


def _move_walk(c: SQLiteCursor, walk: Walk, cursor: str | None) -> Walk:
    if walk.walk_id is None:
        c.execute(
            "INSERT INTO walks (floor, head, cursor) VALUES (?, ?, ?) RETURNING walk_id",
            (walk.floor, walk.head, cursor),
        )
        return walk._replace(walk_id=c.fetchone()[0], cursor=cursor)
    c.execute("UPDATE walks SET cursor = ? WHERE walk_id = ?", (cursor, walk.walk_id))
    return walk._replace(cursor=cursor)


def _finish_walk(c: SQLiteCursor, walk: Walk) -> Walk:
    head = walk.head
    if walk.walk_id is not None:
        c.execute("DELETE FROM walks WHERE walk_id = ? RETURNING head", (walk.walk_id,))
        head = c.fetchone()[0]  # it may have grown: a walk above this one was finished meanwhile
    c.execute("UPDATE walks SET head = max(head, ?) WHERE floor < ? AND head >= ?", (head, walk.floor, walk.floor))
    c.execute(
        "UPDATE ingest_state SET discovered_through = max(discovered_through, ?)"
        " WHERE NOT EXISTS (SELECT 1 FROM walks WHERE floor < ?)",
        (head, walk.floor),
    )
    return walk._replace(head=head)


def _conflict(c: SQLiteCursor, fact: Fact, incoming: EncodedFact) -> ContentConflictFound | None:
    """Something to report if the stored fact of that key says otherwise; block time is the node's estimate."""
    key = (incoming.originator_id.hex, incoming.originator_version)
    c.execute("SELECT topic, state FROM stored_events WHERE originator_id = ? AND originator_version = ?", key)
    topic, state = c.fetchone()
    if (topic, state) == (incoming.topic, incoming.state):
        return None
    if topic == incoming.topic and _without_block_time(topics.decode(topic, state)) == _without_block_time(fact):
        return None
    return ContentConflictFound(key=f"{key[0]}:{key[1]}", topic=incoming.topic, incoming=incoming.state)


def _without_block_time(fact: Fact) -> Fact:
    return fact if isinstance(fact, ContentConflictFound) else structs.replace(fact, block_time=None)


def _advance_coverage(c: SQLiteCursor, facts: Sequence[Fact], positions: Sequence[int | None]) -> None:
    for fact, position in zip(facts, positions, strict=True):
        if isinstance(fact, CoverageAdvanced) and position is not None:
            progress = _progress(c)
            assert progress.coverage < fact.through_slot <= progress.frontier, (fact, progress)
            c.execute("UPDATE ingest_state SET coverage = ?, coverage_position = ?", (fact.through_slot, position))
