"""SQLite's errors in our words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.persistence import PersistenceError

from eventstore.errors import NotAnEventStore, StoreBusy, StoreDamaged, StoreUnreadable, StoreUnwritable

NOT_OURS = ("not a database", "unsupported file format", "no such table", "no such column")
NOT_TEXT = "Could not decode to UTF-8"
DAMAGED = ("malformed", NOT_TEXT)
BUSY = ("locked", "busy")


@contextmanager
def sqlite_errors_named(path: Path, *, read_only: bool) -> Iterator[None]:
    """Names what SQLite or the library raised inside.

    StoreBusy, NotAnEventStore, StoreDamaged, or StoreUnwritable, which where it was `read_only` is StoreUnreadable.
    """
    unusable = StoreUnreadable if read_only else StoreUnwritable
    try:
        yield
    except UnicodeDecodeError as error:  # the library could not read SQLite's own message: the schema is garbled
        raise StoreDamaged(str(path), "its schema is no text") from error
    except (sqlite3.Error, PersistenceError) as error:
        reason = NOT_TEXT if NOT_TEXT in str(error) else str(error)  # without the text itself
        if any(word in reason for word in BUSY):
            raise StoreBusy(str(path)) from error
        if any(word in reason for word in DAMAGED):  # before the next: a malformed schema may lack columns
            raise StoreDamaged(str(path), reason) from error
        if any(word in reason for word in NOT_OURS):
            raise NotAnEventStore(str(path), reason) from error
        raise unusable(str(path), reason) from error
    except OSError as error:
        raise unusable(str(error.filename or path), str(error.strerror)) from error
