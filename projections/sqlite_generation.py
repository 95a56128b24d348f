"""One generation of one projection in one SQLite file."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from projections.errors import CheckpointMoved
from projections.projection import Projection, at_rest, from_rest, value_at_rest
from projections.sqlite_files import connect, sqlite_errors_named
from projections.store import Checkpoint, Query, Row

IDS_PER_STATEMENT = 500
INTEGERS = (int, int | None)


class SQLiteGeneration:
    """Implements Generation: documents and checkpoint in one transaction, which is more than the port asks for."""

    def __init__(self, path: Path, projection: Projection, number: int, *, create: bool) -> None:
        self._path, self._projection, self._number = path, projection, number
        self._columns = tuple(dict.fromkeys(f for index in projection.indexes for f in index if f != "id"))
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(dict).decode
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
        with sqlite_errors_named(self._path):
            for start in range(0, len(ids), IDS_PER_STATEMENT):
                some = ids[start : start + IDS_PER_STATEMENT]
                places = ", ".join("?" * len(some))
                for row in self._db.execute(f"SELECT id, position, body FROM documents WHERE id IN ({places})", some):
                    rows[row[0]] = self._row(row)
        return rows

    async def find(self, query: Query) -> list[Row]:
        conditions = [f"{field} = ?" for field in query.where]
        values = [value_at_rest(self._projection, *one) for one in query.where.items()]
        order, direction = ", ".join(query.order), "DESC" if query.descending else "ASC"
        if query.after is not None:
            conditions.append(f"({order}) {'<' if query.descending else '>'} ({', '.join('?' * len(query.order))})")
            values += [value_at_rest(self._projection, *one) for one in zip(query.order, query.after, strict=True)]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        ordering = ", ".join(f"{field} {direction}" for field in query.order)
        statement = f"SELECT id, position, body FROM documents {where} ORDER BY {ordering} LIMIT ?"
        with sqlite_errors_named(self._path):
            return [self._row(row) for row in self._db.execute(statement, (*values, query.limit))]

    async def count(self) -> int:
        with sqlite_errors_named(self._path):
            return int(self._db.execute("SELECT COUNT(*) FROM documents").fetchone()[0])

    async def checkpoint(self) -> Checkpoint:
        with sqlite_errors_named(self._path):
            (body,) = self._db.execute("SELECT body FROM checkpoint").fetchone()
        return msgspec.json.decode(body, type=Checkpoint)

    async def heartbeat_s(self) -> float:
        with sqlite_errors_named(self._path):
            return float(self._db.execute("SELECT heartbeat_s FROM checkpoint").fetchone()[0])

    async def beat(self, now_s: float) -> None:
        with sqlite_errors_named(self._path):
            self._db.execute("UPDATE checkpoint SET heartbeat_s = ?", (now_s,))

    async def apply(self, rows: Sequence[Row], held: Checkpoint, new: Checkpoint) -> None:
        values = [self._values(row) for row in rows]
        with sqlite_errors_named(self._path):
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
        with sqlite_errors_named(self._path):
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
        fields = at_rest(self._projection, row.document)
        return (row.id, row.position, *(fields[c] for c in self._columns), self._encode(fields))

    def _row(self, row: tuple[str, int, bytes]) -> Row:
        return Row(row[0], row[1], from_rest(self._projection, self._decode(row[2])))


def remove(path: Path) -> None:
    """The file and what SQLite keeps beside it; readers that have it open can read on."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
