"""Read models in one folder: a catalog, and a SQLite file per generation."""

import fcntl
import os
from pathlib import Path
from typing import Any

import msgspec

from projections.errors import (
    CatalogMoved,
    GenerationGone,
    NotReadModels,
    ProjectorRunning,
    ReadModelsReplaced,
    ReadModelsUnavailable,
)
from projections.projection import Projection
from projections.sqlite_files import connect, sqlite_errors_named
from projections.sqlite_generation import SQLiteGeneration, remove
from projections.store import Catalog, Generation

CATALOG_SCHEMA = (
    "CREATE TABLE catalog (revision INTEGER NOT NULL, body BLOB NOT NULL)",
    f"INSERT INTO catalog VALUES (0, CAST('{msgspec.json.encode(Catalog()).decode()}' AS BLOB))",
)


class SQLiteReadModelStore:
    """Implements ReadModelStore. Any number of processes may read; hold() keeps writers apart."""

    def __init__(self, folder: Path, *, create: bool) -> None:
        """Raises ReadModelsUnavailable where there is no catalog and none is to be made."""
        self._folder = folder
        path = folder / "catalog.db"
        if create:
            with sqlite_errors_named(folder):
                folder.mkdir(parents=True, exist_ok=True)
        elif not path.exists():
            raise ReadModelsUnavailable(str(folder), "there are none yet")
        self._path = path
        self._db = connect(path, CATALOG_SCHEMA if create else None)
        # A flip must not be lost to a power cut after the generation before it was removed for good.
        self._db.execute("PRAGMA synchronous = FULL")
        self._file_id = _file_id(path)
        self._locks: list[int] = []

    async def catalog(self) -> Catalog:
        if _file_id(self._path) != self._file_id:
            raise ReadModelsReplaced(str(self._folder))
        with sqlite_errors_named(self._path):
            row = self._db.execute("SELECT revision, body FROM catalog").fetchone()
        try:
            return _catalog_in(row)
        except (TypeError, ValueError) as error:  # TypeError: there is none
            raise NotReadModels(str(self._path), f"its catalog: {error}") from error

    async def replace_catalog(self, new: Catalog) -> None:
        change = (new.revision, msgspec.json.encode(new), new.revision - 1)
        with sqlite_errors_named(self._path):
            changed = self._db.execute("UPDATE catalog SET revision = ?, body = ? WHERE revision = ?", change).rowcount
        if not changed:
            raise CatalogMoved

    async def create_generation(self, projection: Projection, number: int) -> Generation:
        await self.drop_generation(projection, number)
        return SQLiteGeneration(self._file(projection, number), projection, number, create=True)

    async def open_generation(self, projection: Projection, number: int) -> Generation:
        path = self._file(projection, number)
        if not path.exists():
            raise GenerationGone(projection.name, number)
        return SQLiteGeneration(path, projection, number, create=False)

    async def drop_generation(self, projection: Projection, number: int) -> None:
        with sqlite_errors_named(self._folder):
            remove(self._file(projection, number))

    def hold(self, what: str, holder: str) -> None:
        path = self._folder / f"{what}.lock"
        with sqlite_errors_named(path):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = os.pread(fd, 200, 0).decode(errors="replace")
            os.close(fd)
            raise ProjectorRunning(what, other or "another process") from error
        os.truncate(fd, 0)
        os.pwrite(fd, holder.encode(), 0)
        self._locks.append(fd)

    async def close(self) -> None:
        self._db.close()
        while self._locks:
            os.close(self._locks.pop())

    def _file(self, projection: Projection, number: int) -> Path:
        return self._folder / f"{projection.name}.g{number}.db"


def _catalog_in(row: tuple[Any, Any]) -> Catalog:
    revision, body = row
    catalog = msgspec.json.decode(body, type=Catalog)
    if catalog.revision != revision:
        raise ValueError(f"revision {catalog.revision} is stored as revision {revision}")
    return catalog


def _file_id(path: Path) -> tuple[int, int] | None:
    """Device and inode of what has that name now; None if nothing has."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
