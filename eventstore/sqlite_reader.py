"""The reading side of an event store in one SQLite file."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from eventsourcing.sqlite import SQLiteCursor

from eventstore import topics
from eventstore.errors import NotAnEventStore, SchemaTooNew, StoreMissing, StoreReplaced
from eventstore.identity import FactKey
from eventstore.port import Binding, StoredFact
from eventstore.sqlite_errors import sqlite_errors_named
from eventstore.sqlite_recorder import APPLICATION_ID, SCHEMA_VERSION, IngestRecorder, SyncedDatastore

FACT_COLUMNS = "stored_events.rowid, recorded_at_us, topic, state"


class SQLiteFactReader:
    """Implements FactReader. For one thread; any number of processes may read while one writes."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        is_new = _is_new(path)
        if is_new and not create:
            raise StoreMissing(str(path))
        self.datastore = SyncedDatastore(_uri(path, "rwc" if create else "rw"), pool_size=1, max_overflow=1)
        self.recorder = IngestRecorder(self.datastore)
        try:
            with sqlite_errors_named(path):
                if is_new:
                    self.recorder.create_table()
            self._file_id = file_id(path)
        except BaseException:
            self.datastore.close()
            raise

    def binding(self) -> Binding | None:
        with self.reading() as c:
            c.execute("SELECT genesis_hash, program_id FROM binding")
            row = c.fetchone()
        return Binding(*row) if row else None

    def read_after(self, position: int, limit: int) -> list[StoredFact]:
        with self.reading() as c:
            c.execute(
                f"SELECT {FACT_COLUMNS} FROM stored_events WHERE rowid > ? ORDER BY rowid LIMIT ?", (position, limit)
            )
            rows = c.fetchall()
        return [stored_fact(row) for row in rows]

    def read_vault(self, vault: str, *, through_position: int, after: int = 0, limit: int = 1_000) -> list[StoredFact]:
        with self.reading() as c:
            c.execute(
                f"SELECT {FACT_COLUMNS} FROM vault_index JOIN stored_events ON stored_events.rowid = position"
                " WHERE vault = ? AND position <= ?"
                " ORDER BY slot, transaction_index, ordinal, position LIMIT ? OFFSET ?",
                (vault, through_position, limit, after),
            )
            rows = c.fetchall()
        return [stored_fact(row) for row in rows]

    def last_position(self) -> int:
        with self.reading() as c:
            return self.recorder.last_position(c)

    def key_at(self, position: int) -> FactKey | None:
        if file_id(self.path) != self._file_id:
            raise StoreReplaced(str(self.path))
        with self.reading() as c:
            c.execute("SELECT originator_id, originator_version FROM stored_events WHERE rowid = ?", (position,))
            row = c.fetchone()
        return FactKey(UUID(row[0]), row[1]) if row else None

    def close(self) -> None:
        self.datastore.close()

    @contextmanager
    def reading(self) -> Iterator[SQLiteCursor]:
        with sqlite_errors_named(self.path), self.datastore.transaction(commit=False) as c:
            yield c


def stored_fact(row: Sequence[Any]) -> StoredFact:
    """From a row of FACT_COLUMNS."""
    position, recorded_at_us, topic, state = row
    return StoredFact(position, recorded_at_us, topics.decode(topic, state))


def _is_new(path: Path) -> bool:
    """Looks without the library, which would switch another's file to WAL. Raises NotAnEventStore and SchemaTooNew."""
    if not path.exists():
        return True
    with sqlite_errors_named(path), closing(sqlite3.connect(_uri(path, "rw"), uri=True)) as connection:
        statements = ("PRAGMA application_id", "PRAGMA user_version", "SELECT COUNT(*) FROM sqlite_master")
        connection.execute("BEGIN")  # one snapshot: another process may be creating it
        application_id, version, tables = [connection.execute(statement).fetchone()[0] for statement in statements]
    if tables and application_id != APPLICATION_ID:
        raise NotAnEventStore(str(path), "its application id is another's")
    if tables and version > SCHEMA_VERSION:
        raise SchemaTooNew(str(path), version, SCHEMA_VERSION)
    return not tables


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(str(path))}?mode={mode}"


def file_id(path: Path) -> tuple[int, int] | None:
    """Device and inode of what has that name now; None if nothing has."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
