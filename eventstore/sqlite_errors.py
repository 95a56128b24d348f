"""SQLite's errors in our words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.persistence import PersistenceError

from eventstore.errors import NotAnEventStore, StoreBusy, StoreUnwritable

NOT_OURS = ("not a database", "malformed", "no such table", "no such column")
BUSY = ("locked", "busy")


@contextmanager
def sqlite_errors_named(path: Path) -> Iterator[None]:
    """Raises StoreBusy, NotAnEventStore or StoreUnwritable for what SQLite or the library raised inside."""
    try:
        yield
    except (sqlite3.Error, PersistenceError) as error:
        reason = str(error)
        if any(word in reason for word in BUSY):
            raise StoreBusy(str(path)) from error
        if any(word in reason for word in NOT_OURS):
            raise NotAnEventStore(str(path), reason) from error
        raise StoreUnwritable(str(path), reason) from error
    except OSError as error:
        raise StoreUnwritable(str(error.filename or path), str(error.strerror)) from error
