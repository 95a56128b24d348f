"""One generation of one projection in one SQLite file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from projections.errors import CheckpointMoved, GenerationDamaged, NotReadModels, ReadModelsUnavailable
from projections.projection import Projection, value_at_rest
from projections.sqlite_files import connect, sqlite_errors_named
from projections.store import Checkpoint, Query, Row

IDS_PER_STATEMENT = 500
INTEGERS = (int, int | None, bool)
IS_LEFT = "body <> CAST('null' AS BLOB)"
T = TypeVar("T")


class SQLiteGeneration:
    """Implements Generation: documents and checkpoint in one transaction, which is more than the port asks for."""

    def __init__(self, path: Path, projection: Projection, number: int, *, create: bool) -> None:
        self._path, self._projection, self._number = path, projection, number
        self._columns = tuple(dict.fromkeys(f for index in projection.indexes for f in index if f != "id"))
        self._amounts = [c for c in self._columns if c in projection.amounts]
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(projection.document | None).decode
        with self._damage_named():
            self._db = connect(path, self._schema() if create else None)
        names = ", ".join(("id", "position", *self._columns, "body"))
        places = ", ".join("?" * (len(self._columns) + 3))
        updates = ", ".join(f"{name} = excluded.{name}" for name in ("position", *self._columns, "body"))
        self._upsert = (
            f"INSERT INTO documents ({names}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {updates}"
            " WHERE excluded.position > documents.position"
        )

    async def get(self, ids: Sequence[str]) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        with self._damage_named():
            for start in range(0, len(ids), IDS_PER_STATEMENT):
                some = ids[start : start + IDS_PER_STATEMENT]
                places = ", ".join("?" * len(some))
                for row in self._db.execute(f"SELECT id, position, body FROM documents WHERE id IN ({places})", some):
                    rows[row[0]] = self._row(row)
        return rows

    async def find(self, query: Query) -> list[Row]:
        conditions = [IS_LEFT, *(f"{field} = ?" for field in query.where)]
        values = [value_at_rest(self._projection, *one) for one in query.where.items()]
        order, direction = ", ".join(query.order), "DESC" if query.descending else "ASC"
        if query.after is not None:
            conditions.append(f"({order}) {'<' if query.descending else '>'} ({', '.join('?' * len(query.order))})")
            values += [value_at_rest(self._projection, *one) for one in zip(query.order, query.after, strict=True)]
        ordering = ", ".join(f"{field} {direction}" for field in query.order)
        statement = (
            f"SELECT id, position, body FROM documents WHERE {' AND '.join(conditions)} ORDER BY {ordering} LIMIT ?"
        )
        with self._damage_named():
            return [self._row(row) for row in self._db.execute(statement, (*values, query.limit))]

    async def count(self) -> int:
        with self._damage_named():
            return int(self._db.execute(f"SELECT COUNT(*) FROM documents WHERE {IS_LEFT}").fetchone()[0])

    async def checkpoint(self) -> Checkpoint:
        return self._of_checkpoint("body", _checkpoint_in)

    async def heartbeat_s(self) -> float:
        return self._of_checkpoint("heartbeat_s", float)

    async def beat(self, now_s: float) -> None:
        with self._damage_named():
            self._db.execute("UPDATE checkpoint SET heartbeat_s = ?", (now_s,))

    async def apply(self, rows: Sequence[Row], held: Checkpoint, new: Checkpoint) -> None:
        values = [self._values(row) for row in sorted(rows, key=itemgetter(0))]  # neighbours share a page
        with self._damage_named():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(self._upsert, values)
                change = (self._encode(new), self._encode(held))
                moved = self._db.execute("UPDATE checkpoint SET body = ? WHERE body = ?", change).rowcount
                if not moved:
                    raise CheckpointMoved(self._projection.name, self._number)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    async def create_indexes(self) -> None:
        with self._damage_named():
            for index in self._projection.indexes:
                self._db.execute(f"CREATE INDEX IF NOT EXISTS by_{'_'.join(index)} ON documents ({', '.join(index)})")

    async def close(self) -> None:
        self._db.close()

    def _schema(self) -> tuple[str, ...]:
        types = {f.name: f.type for f in msgspec.structs.fields(self._projection.document)}
        integers = {name for name, type_ in types.items() if type_ in INTEGERS} - self._projection.amounts
        columns = "".join(f", {c} {'INTEGER' if c in integers else 'TEXT'}" for c in self._columns)
        first = self._encode(Checkpoint()).decode()
        return (
            f"CREATE TABLE documents (id TEXT NOT NULL UNIQUE, position INTEGER NOT NULL{columns}, body BLOB NOT NULL)",
            "CREATE TABLE checkpoint (body BLOB NOT NULL, heartbeat_s REAL NOT NULL)",
            f"INSERT INTO checkpoint VALUES (CAST('{first}' AS BLOB), 0)",
        )

    def _values(self, row: Row) -> tuple[object, ...]:
        """Amounts are exact in JSON as they are; only what is sorted by them is as `at_rest` has it."""
        id_, position, document = row
        if document is None:
            return (id_, position, *(None for _ in self._columns), b"null")
        columns = [getattr(document, name) for name in self._columns]
        for name in self._amounts:
            columns[self._columns.index(name)] = value_at_rest(self._projection, name, getattr(document, name))
        return (id_, position, *columns, self._encode(document))

    def _row(self, row: tuple[Any, Any, Any]) -> Row:
        id_, position, body = row
        try:
            if not (isinstance(id_, str) and isinstance(position, int)):
                raise TypeError("its id or position")
            return Row(id_, position, self._decode(body))
        except (TypeError, ValueError) as error:
            raise self._damaged(f"document {id_!r}: {error}") from error

    def _of_checkpoint(self, column: str, parse: Callable[[Any], T]) -> T:
        with self._damage_named():
            row = self._db.execute(f"SELECT {column} FROM checkpoint").fetchone()
        try:
            return parse(row[0])
        except (TypeError, ValueError) as error:  # TypeError: there is none
            raise self._damaged(f"its checkpoint: {error}") from error

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            with sqlite_errors_named(self._path):
                yield
        except NotReadModels as error:
            raise self._damaged(error.reason) from error
        except ReadModelsUnavailable as error:
            raise self._damaged("it is empty") from error

    def _damaged(self, reason: str) -> GenerationDamaged:
        return GenerationDamaged(str(self._path), self._projection.name, reason)


def _checkpoint_in(body: bytes) -> Checkpoint:
    checkpoint = msgspec.json.decode(body, type=Checkpoint)
    if msgspec.json.encode(checkpoint) != body:  # compare-and-set would never meet it
        raise ValueError("not as it was written")
    return checkpoint


def remove(path: Path) -> None:
    """The file and what SQLite keeps beside it; readers that have it open can read on."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
