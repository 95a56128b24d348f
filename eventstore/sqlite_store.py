"""An event store in one SQLite file, by its path."""

import time
from collections.abc import Callable
from pathlib import Path

from eventstore.sqlite_backend import SQLiteBackend
from eventstore.store import EventStore


class SQLiteEventStore(EventStore):
    """Implements IngestStore."""

    def __init__(self, path: Path, now_s: Callable[[], float] = time.time, *, create: bool = True) -> None:
        super().__init__(SQLiteBackend(path, read_only=False), now_s, create=create)
