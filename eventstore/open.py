"""From VAULT_EVENT_STORE_URL to a store: the only place that knows which backends there are."""

from pathlib import Path

from eventstore.errors import StoreMissing, StoreUrlInvalid
from eventstore.port import FactReader, IngestStore
from eventstore.sqlite_reader import SQLiteFactReader
from eventstore.sqlite_store import SQLiteEventStore

SQLITE = "sqlite:///"


def open_ingest_store(url: str, *, create: bool = True) -> IngestStore:
    """Creates the store if there is none, unless told not to: then StoreMissing."""
    path = _sqlite_path(url)
    if not create and not path.exists():
        raise StoreMissing(str(path))
    return SQLiteEventStore(path, create=create)


def open_fact_reader(url: str) -> FactReader:
    """Raises StoreMissing while no indexer has created the store."""
    path = _sqlite_path(url)
    if not path.exists():
        raise StoreMissing(str(path))
    return SQLiteFactReader(path)


def _sqlite_path(url: str) -> Path:
    """sqlite:///relative.db and sqlite:////absolute.db, as SQLAlchemy writes them."""
    if not url.startswith(SQLITE):
        raise StoreUrlInvalid(url, "only sqlite is supported")
    name = url.removeprefix(SQLITE)
    if not name or name.endswith("/") or any(c in name for c in "?#\0"):
        raise StoreUrlInvalid(url, "it names no file")
    return Path(name)
