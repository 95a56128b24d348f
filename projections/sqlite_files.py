"""SQLite files of ours: opened with the same settings, recognised, and their errors in our words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from projections.errors import (
    NotReadModels,
    ReadModelsBusy,
    ReadModelsTooNew,
    ReadModelsUnavailable,
    ReadModelsUnwritable,
)

APPLICATION_ID = 0x4356524D  # "CVRM", SQLite's application_id
FORMAT_VERSION = 1
NOT_OURS = (
    "not a database",
    "unsupported file format",
    "malformed",
    "no such table",
    "no such column",
    "no column named",
)
NOT_TEXT = "Could not decode to UTF-8"
BUSY_TIMEOUT_S = 10.0
CACHE_KIB = 32_768
CHECKPOINT_PAGES = 10_000
"""Of 4 KiB: what a load writes to again and again goes to the file itself less often."""


@contextmanager
def sqlite_errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:  # in SQLite's own message: the schema is garbled
        raise NotReadModels(str(path), "its schema is no text") from error
    except sqlite3.Error as error:
        reason = str(error)
        if NOT_TEXT in reason:
            raise NotReadModels(str(path), NOT_TEXT) from error  # without the text itself
        if any(word in reason for word in NOT_OURS):
            raise NotReadModels(str(path), reason) from error
        if "locked" in reason:
            raise ReadModelsBusy(str(path)) from error
        raise ReadModelsUnwritable(str(path), reason) from error
    except OSError as error:
        raise ReadModelsUnwritable(str(error.filename or path), str(error.strerror)) from error


def connect(path: Path, schema: tuple[str, ...] | None) -> sqlite3.Connection:
    """Creates the file with `schema` if it is given and there is none. Autocommit: BEGIN is explicit."""
    mode = "rwc" if schema else "rw"
    with sqlite_errors_named(path):
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S
        )
        try:
            _prepare(connection, path, schema)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, schema: tuple[str, ...] | None) -> None:
    if schema and _is_empty(connection):
        _create(connection, schema)
    if _is_empty(connection):
        raise ReadModelsUnavailable(str(path), "there are none yet")
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise NotReadModels(str(path), "its application id is another's")
    version = _pragma(connection, "user_version")
    if version > FORMAT_VERSION:
        raise ReadModelsTooNew(str(path), version, FORMAT_VERSION)
    if version < FORMAT_VERSION:
        raise NotReadModels(str(path), f"format version {version}, which there never was")
    # After a power cut the last transactions may be missing, never a part of one: they are applied again.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def _create(connection: sqlite3.Connection, schema: tuple[str, ...]) -> None:
    """In one transaction, unless another process was first. One that is killed in between leaves the file empty."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection):
        for statement in schema:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    connection.execute("COMMIT")


def _is_empty(connection: sqlite3.Connection) -> bool:
    """Not of size 0: a database in WAL mode has a page before it has a table."""
    return not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
