"""An event store in the schema `event_store` of a PostgreSQL database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from eventstore.backend import EncodedFact, Row, Value
from eventstore.errors import LeaseHeld, NotAnEventStore, StoreReplaced
from eventstore.port import StoredBytes
from eventstore.postgres_errors import postgres_errors_named
from eventstore.postgres_lease import SessionLease, holder_of
from eventstore.postgres_recorder import (
    SCHEMA,
    IngestRecorder,
    create_statement,
    delete_statement,
    insert_statement,
)
from eventstore.postgres_session import Session
from eventstore.postgres_url import PostgresPlace
from eventstore.tables import Table

CREATION = 0x4356_4553_0000_0002  # lock of whoever creates the store

FOUND = f"""
    SELECT to_regclass('{SCHEMA}.schema_version') IS NOT NULL,
    (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('{SCHEMA}'))
"""
# The server's data directory, the database and the table: each has another number when it was made anew.
IDENTITY = f"""
    SELECT (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    to_regclass('{SCHEMA}.stored_events')::oid
"""


class PostgresTransaction:
    """Implements Transaction."""

    def __init__(self, cursor: Cursor[Any], recorder: IngestRecorder) -> None:
        self._c, self._recorder = cursor, recorder

    def rows(self, statement: str, parameters: Sequence[Value] = ()) -> list[Row]:
        self._c.execute(_translated(statement), parameters)
        return self._c.fetchall()

    def first_rows(self, statement: str, parameters: Sequence[Sequence[Value]]) -> list[Row]:
        if not parameters:
            return []
        self._c.executemany(_translated(statement), parameters, returning=True)
        return [_first(result) for result in self._c.results()]

    def execute(self, statement: str, parameters: Sequence[Value] = ()) -> None:
        self._c.execute(_translated(statement), parameters)

    def insert(self, table: Table, rows: Sequence[Sequence[Value]]) -> int:
        if not rows:
            return 0
        return self._c.execute(insert_statement(table).encode(), _columns(rows), prepare=True).rowcount

    def delete(self, table: Table, keys: Sequence[Sequence[Value]]) -> None:
        if keys:
            self._c.execute(delete_statement(table).encode(), _columns(keys), prepare=True)

    def append_new(self, facts: Sequence[EncodedFact], recorded_at_us: int) -> list[int | None]:
        return self._recorder.append_new(self._c, facts, recorded_at_us)

    def append_at(self, facts: Sequence[StoredBytes]) -> int:
        return self._recorder.append_at(self._c, facts)

    def create(self, table: Table) -> None:
        self._c.execute(create_statement(table).encode())

    def set_version(self, version: int) -> None:
        self._c.execute("UPDATE schema_version SET version = %s", (version,))


class PostgresBackend:
    """Implements Backend. The database must be there; the schema in it is made by `create`."""

    def __init__(self, place: PostgresPlace, *, read_only: bool) -> None:
        self.where = place.where
        self._lease = SessionLease()
        self._identity: Row | None = None
        self._session = Session(place.conninfo, self._check_same, read_only=read_only)
        with postgres_errors_named(self.where):
            self._recorder = IngestRecorder(self._session)

    def version(self) -> int | None:
        with postgres_errors_named(self.where), self._session.snapshot() as cursor:
            version = _version(cursor, self.where)
            if version is not None:
                self._identity = _identity(cursor)
        return version

    def create(self) -> None:
        with postgres_errors_named(self.where), self._session.write() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock({CREATION})")
            if _version(cursor, self.where) is None:
                self._recorder.create_tables(cursor)
            self._identity = _identity(cursor)

    @contextmanager
    def reading(self) -> Iterator[PostgresTransaction]:
        with postgres_errors_named(self.where), self._session.snapshot() as cursor:
            yield PostgresTransaction(cursor, self._recorder)

    @contextmanager
    def writing(self) -> Iterator[PostgresTransaction]:
        with postgres_errors_named(self.where), self._session.write() as cursor:
            self._recorder.lock_for_writing(cursor)
            yield PostgresTransaction(cursor, self._recorder)

    def ensure_same(self) -> None:
        with postgres_errors_named(self.where):
            self._check_same(self._session.connection())

    def acquire_lease(self, holder: str) -> None:
        with postgres_errors_named(self.where):
            connection = self._session.connection()
            if not self._lease.acquire(connection, holder):
                raise LeaseHeld(self.where, holder_of(connection) or "unknown")

    def holds_lease(self) -> bool:
        with postgres_errors_named(self.where):
            return self._lease.keep(self._session.connection())

    def release_lease(self) -> None:
        with suppress(psycopg.Error):  # a session that is gone holds nothing
            self._lease.release()

    def close(self) -> None:
        self.release_lease()
        self._session.close()

    def _check_same(self, connection: Connection[Any]) -> None:
        """At the first connection there is nothing to compare with yet."""
        with connection.cursor(row_factory=tuple_row) as cursor:
            if self._identity is not None and _identity(cursor) != self._identity:
                raise StoreReplaced(self.where)


def _version(cursor: Cursor[Any], where: str) -> int | None:
    is_there, relations = _row(cursor, FOUND)
    if is_there:
        return int(_row(cursor, f"SELECT version FROM {SCHEMA}.schema_version")[0])
    if relations:
        raise NotAnEventStore(where, f"its schema {SCHEMA} holds other tables")
    return None


def _identity(cursor: Cursor[Any]) -> Row:
    return tuple(_row(cursor, IDENTITY))


def _row(cursor: Cursor[Any], statement: str) -> Row:
    return _first(cursor.execute(statement.encode()))


def _first(cursor: Cursor[Any]) -> Row:
    row: Row | None = cursor.fetchone()
    assert row is not None
    return row


def _columns(rows: Sequence[Sequence[Value]]) -> list[list[Value]]:
    return [list(column) for column in zip(*rows, strict=True)]


@lru_cache(256)
def _translated(statement: str) -> bytes:
    """With psycopg's placeholder for a parameter in binary form."""
    return statement.replace("?", "%b").encode()
