"""An event store in one SQLite file."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import UUID
from weakref import WeakSet

from eventsourcing.sqlite import SQLiteConnection, SQLiteDatastore

from eventstore.backend import EncodedFact, Row, Value
from eventstore.errors import NotAnEventStore, StoreReplaced
from eventstore.port import StoredBytes
from eventstore.sqlite_errors import sqlite_errors_named
from eventstore.sqlite_lease import FileLease
from eventstore.sqlite_recorder import APPLICATION_ID, IngestRecorder, create_statement
from eventstore.tables import Table

LOCK_TIMEOUT_S = 5
PRAGMAS = (
    # A transaction is on the disk when it has committed; some builds of SQLite do less by default.
    "PRAGMA synchronous = FULL",
    # The keys of facts are random: their index is written all over, which is cheaper the less often it is done.
    "PRAGMA wal_autocheckpoint = 30000",  # pages of 4 KiB: the log grows to 120 MB
    "PRAGMA cache_size = -32768",  # KiB
)


class TunedDatastore(SQLiteDatastore):
    def __init__(self, uri: str, *, read_only: bool) -> None:
        super().__init__(uri, lock_timeout=LOCK_TIMEOUT_S, pool_size=1, max_overflow=1)
        self.pragmas = (*PRAGMAS, f"PRAGMA query_only = {int(read_only)}")
        self._tuned = WeakSet[SQLiteConnection]()

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        with super().get_connection(commit=commit) as connection:
            if connection not in self._tuned:
                for pragma in self.pragmas:
                    connection.cursor().execute(pragma)
                self._tuned.add(connection)
            yield connection


class SQLiteTransaction:
    """Implements Transaction."""

    def __init__(self, cursor: sqlite3.Cursor, recorder: IngestRecorder) -> None:
        self._c, self._recorder = cursor, recorder

    def rows(self, statement: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self._c.execute(statement, _plain(parameters)).fetchall()

    def first_rows(self, statement: str, parameters: Sequence[Sequence[Value]]) -> list[Row]:
        return [self._c.execute(statement, _plain(values)).fetchone() for values in parameters]

    def execute(self, statement: str, parameters: Sequence[Value] = ()) -> None:
        self._c.execute(statement, _plain(parameters))

    def insert(self, table: Table, rows: Sequence[Sequence[Value]]) -> int:
        if not rows:
            return 0
        values = ", ".join("?" * len(table.columns))
        return self._c.executemany(f"INSERT INTO {table.name} VALUES ({values}) ON CONFLICT DO NOTHING", rows).rowcount

    def delete(self, table: Table, keys: Sequence[Sequence[Value]]) -> None:
        condition = " AND ".join(f"{name} = ?" for name in table.key)
        self._c.executemany(f"DELETE FROM {table.name} WHERE {condition}", keys)

    def append_new(self, facts: Sequence[EncodedFact], recorded_at_us: int) -> list[int | None]:
        return self._recorder.append_new(self._c, facts, recorded_at_us)

    def append_at(self, facts: Sequence[StoredBytes]) -> int:
        return self._recorder.append_at(self._c, facts)

    def create(self, table: Table) -> None:
        self._c.execute(create_statement(table))

    def set_version(self, version: int) -> None:
        self._c.execute(f"PRAGMA user_version = {version}")


class SQLiteBackend:
    """Implements Backend. The folder and the file are made by `create`.

    What is looked at `once` may be in a folder that is read-only, if nobody has it open.
    """

    def __init__(self, path: Path, *, read_only: bool, once: bool = False) -> None:
        self.path, self.where = path, str(path)
        self.read_only = read_only
        self._uri = _uri(path, "immutable=1" if once and _is_at_rest(path) else "mode=rw")
        self._lease = FileLease(path)
        self._datastore: TunedDatastore | None = None
        self._file_id: tuple[int, int] | None = None

    @property
    def datastore(self) -> TunedDatastore:
        """Opened when first needed: the library switches whatever file it opens to WAL."""
        if self._datastore is None:
            self._datastore = TunedDatastore(self._uri, read_only=self.read_only)
            self._recorder = IngestRecorder(self._datastore)
        return self._datastore

    def version(self) -> int | None:
        with self._errors_named():
            self._file_id = file_id(self.path)
            if self._file_id is None:
                return None
            if self.path.is_dir():
                raise NotAnEventStore(self.where, "it is a folder")
            with closing(sqlite3.connect(self._uri, uri=True)) as connection:
                connection.execute("BEGIN")  # one snapshot: another process may be creating it
                return _version(connection.cursor(), self.where)

    def create(self) -> None:
        with self._errors_named():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            self._file_id = file_id(self.path)
            with self.datastore.get_connection(commit=True) as connection:
                cursor = connection.cursor().sqlite_cursor
                cursor.execute("BEGIN IMMEDIATE")
                try:
                    if _version(cursor, self.where) is None:
                        for statement in self._recorder.create_table_statements:
                            cursor.execute(statement)
                    cursor.execute("COMMIT")
                except BaseException:
                    connection.rollback()
                    raise

    @contextmanager
    def reading(self) -> Iterator[SQLiteTransaction]:
        with self._errors_named(), self.datastore.transaction(commit=False) as c:
            yield SQLiteTransaction(c.sqlite_cursor, self._recorder)

    @contextmanager
    def writing(self) -> Iterator[SQLiteTransaction]:
        with sqlite_errors_named(self.path, read_only=False), self.datastore.transaction(commit=True) as c:
            c.execute("UPDATE ingest_state SET epoch = epoch")  # takes the write lock before anything is read
            yield SQLiteTransaction(c.sqlite_cursor, self._recorder)

    def _errors_named(self) -> AbstractContextManager[None]:
        return sqlite_errors_named(self.path, read_only=self.read_only)

    def ensure_same(self) -> None:
        if file_id(self.path) != self._file_id:
            raise StoreReplaced(self.where)

    def acquire_lease(self, holder: str) -> None:
        self._lease.acquire(holder)

    def holds_lease(self) -> bool:
        return True  # only with this process can it be lost

    def release_lease(self) -> None:
        self._lease.release()

    def close(self) -> None:
        if self._datastore is not None:
            self._datastore.close()
        self._lease.release()


def _plain(parameters: Sequence[Value]) -> list[int | str | bytes | None]:
    """Stream ids are kept as the library keeps them."""
    return [value.hex if isinstance(value, UUID) else value for value in parameters]


def _version(cursor: sqlite3.Cursor, where: str) -> int | None:
    statements = ("PRAGMA application_id", "PRAGMA user_version", "SELECT COUNT(*) FROM sqlite_master")
    application_id, version, tables = [int(cursor.execute(statement).fetchone()[0]) for statement in statements]
    if tables and application_id != APPLICATION_ID:
        raise NotAnEventStore(where, "its application id is another's")
    return version if tables else None


def _uri(path: Path, options: str) -> str:
    return f"file:{quote(str(path))}?{options}"


def _is_at_rest(path: Path) -> bool:
    """In a folder that is read-only for us, and not in use: who has it open keeps a write-ahead log beside it."""
    return not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()


def file_id(path: Path) -> tuple[int, int] | None:
    """Device and inode of what has that name now; None if nothing has."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
