"""From VAULT_READ_MODELS_URL to a store: the only place that knows which backends there are."""

from pathlib import Path

from projections.errors import ReadModelsUrlInvalid
from projections.sqlite_store import SQLiteReadModelStore
from projections.store import ReadModelStore

SQLITE = "sqlite:///"


def open_store(url: str, *, create: bool) -> ReadModelStore:
    """Raises a ProjectionError that says what to do."""
    return SQLiteReadModelStore(check_url(url), create=create)


def check_url(url: str) -> Path:
    """Raises ReadModelsUrlInvalid."""
    if not url.startswith(SQLITE):
        raise ReadModelsUrlInvalid(url, "only sqlite is supported")
    name = url.removeprefix(SQLITE)
    if not name or any(c in name for c in "?#\0"):
        raise ReadModelsUrlInvalid(url, "it names no folder")
    return Path(name)
