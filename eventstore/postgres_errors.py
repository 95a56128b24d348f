"""PostgreSQL's errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from eventstore.errors import (
    EventStoreError,
    NotAnEventStore,
    StoreBusy,
    StoreDamaged,
    StoreUnreachable,
    StoreUnwritable,
)

BUSY = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available
    "57014",  # query_canceled: statement_timeout
}
NOT_OURS = {
    "3F000",  # invalid_schema_name
    "42703",  # undefined_column
    "42P01",  # undefined_table
}
DAMAGED = {
    "XX001",  # data_corrupted: a page's checksum, for one
    "XX002",  # index_corrupted
}
AWAY = ("08", "57P", "53300", "25P03")
"""Connection exceptions, shutdown and start-up of the server, too many connections, a session that idled too long."""


@contextmanager
def postgres_errors_named(where: str) -> Iterator[None]:
    """Raises our error for what psycopg raised inside."""
    try:
        yield
    except psycopg.Error as error:
        raise _named(where, error) from error


def _named(where: str, error: psycopg.Error) -> EventStoreError:
    state, reason = error.sqlstate or "", _reason(error)
    lost = not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if lost or state.startswith(AWAY):
        return StoreUnreachable(where, reason)
    if state in BUSY:
        return StoreBusy(where)
    if state in NOT_OURS:
        return NotAnEventStore(where, reason)
    if state in DAMAGED:
        return StoreDamaged(where, reason)
    return StoreUnwritable(where, reason)


def _reason(error: psycopg.Error) -> str:
    """One line, without the detail, which may quote rows."""
    return error.diag.message_primary or "; ".join(str(error).split("\n")) or type(error).__name__
