"""One session with a PostgreSQL server, opened again after it was lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError
from eventsourcing.postgres import PostgresDatastore
from psycopg import Connection, Cursor, IsolationLevel
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row, tuple_row

from eventstore.postgres_recorder import SCHEMA

LOCK_TIMEOUT_S = 5  # above the second after which the server lets a waiting lock interrupt autovacuum

SETTINGS = f"""
    SET search_path TO {SCHEMA};
    SET lock_timeout TO '{LOCK_TIMEOUT_S}s';
    SET statement_timeout TO '5min';
    SET idle_in_transaction_session_timeout TO '1min';
    SET tcp_keepalives_idle TO 5;
    SET tcp_keepalives_interval TO 5;
    SET tcp_keepalives_count TO 2;
    SET jit TO off;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
"""


class Session(PostgresDatastore):
    """The library's datastore on one connection, for one thread, without a pool's threads and waits.

    `on_connect` is called with each new connection; what it raises closes the connection.
    """

    def __init__(self, conninfo: str, on_connect: Callable[[Connection[Any]], None], *, read_only: bool) -> None:
        super().__init__("", "", "", "", "", schema=SCHEMA, lock_timeout=LOCK_TIMEOUT_S)
        self._conninfo, self._on_connect, self._read_only = conninfo, on_connect, read_only
        self._connection: Connection[Any] | None = None

    def connection(self) -> Connection[Any]:
        """The same as before, if it was not lost."""
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    @contextmanager
    def snapshot(self) -> Iterator[Cursor[Any]]:
        with self._transaction(IsolationLevel.REPEATABLE_READ, read_only=True) as cursor:
            yield cursor

    @contextmanager
    def write(self) -> Iterator[Cursor[Any]]:
        """Each statement sees what was committed before it began, so what follows a lock sees what led to it."""
        with self._transaction(IsolationLevel.READ_COMMITTED, read_only=self._read_only) as cursor:
            yield cursor

    @contextmanager
    def get_connection(self) -> Iterator[Connection[Any]]:
        """For the library's own methods, which know the library's errors."""
        try:
            yield self.connection()
        except psycopg.IntegrityError as error:
            raise IntegrityError(str(error)) from error

    def close(self) -> None:
        super().close()
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    def _connect(self) -> Connection[Any]:
        connection = psycopg.connect(self._conninfo, autocommit=True, row_factory=dict_row)
        try:
            connection.execute(SETTINGS)
            self._on_connect(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _transaction(self, level: IsolationLevel, *, read_only: bool) -> Iterator[Cursor[Any]]:
        connection = self.connection()
        connection.isolation_level, connection.read_only = level, read_only
        try:
            with connection.transaction(), connection.cursor(binary=True, row_factory=tuple_row) as cursor:
                yield cursor
        finally:
            if connection.info.transaction_status is not TransactionStatus.IDLE:  # what failed left it in the middle
                connection.close()
