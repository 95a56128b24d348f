"""From VAULT_EVENT_STORE_URL to a store: the only place that knows which backends there are."""

import os
from pathlib import Path

from eventstore.backend import Backend
from eventstore.errors import DatabaseFunctionsEnabled, StoreUrlInvalid
from eventstore.port import FactReader, IngestStore
from eventstore.postgres_backend import PostgresBackend
from eventstore.postgres_url import SCHEMES, parse_postgres_url
from eventstore.reader import StoreReader
from eventstore.sqlite_backend import SQLiteBackend
from eventstore.store import EventStore

SQLITE = "sqlite:///"
DATABASE_FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"


def open_ingest_store(url: str, *, create: bool = True) -> IngestStore:
    """Creates the store if there is none, and migrates an older one; unless told not to: StoreMissing, SchemaTooOld."""
    return EventStore(_backend(url, read_only=False), create=create)


def open_ingest_store_to_look_at(url: str) -> IngestStore:
    """For a moment, without writing: a SQLite file may be on a read-only disk. Raises StoreMissing, SchemaTooOld."""
    return EventStore(_backend(url, read_only=True, once=True), create=False)


def open_fact_reader(url: str) -> FactReader:
    """Raises StoreMissing while no indexer has created the store."""
    return StoreReader(_backend(url, read_only=True))


def public_url(url: str) -> str:
    """For logs and messages: without user and password. Raises StoreUrlInvalid."""
    return parse_postgres_url(url).where if url.startswith(SCHEMES) else url


def _backend(url: str, *, read_only: bool, once: bool = False) -> Backend:
    if url.startswith(SCHEMES):
        _refuse_database_functions()
        return PostgresBackend(parse_postgres_url(url), read_only=read_only)
    return SQLiteBackend(_sqlite_path(url), read_only=read_only, once=once)


def _refuse_database_functions() -> None:
    """We never insert by them, but whoever set this means to, and with the same store."""
    if os.environ.get(DATABASE_FUNCTIONS, "").lower() not in ("", "0", "n", "no", "f", "false", "off"):
        raise DatabaseFunctionsEnabled(DATABASE_FUNCTIONS)


def _sqlite_path(url: str) -> Path:
    """sqlite:///relative.db and sqlite:////absolute.db, as SQLAlchemy writes them."""
    if not url.startswith(SQLITE):
        raise StoreUrlInvalid(url, "only sqlite and postgresql are supported")
    name = url.removeprefix(SQLITE)
    if not name or name.endswith("/") or any(c in name for c in "?#\0"):
        raise StoreUrlInvalid(url, "it names no file")
    return Path(name)
