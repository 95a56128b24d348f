"""The library's SQLite recorder with the columns and tables of ours, and an append that skips what is known."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteConnection, SQLiteCursor, SQLiteDatastore

from eventstore.facts import AuthorityInitialized
from eventstore.topics import TOPICS

APPLICATION_ID = 0x43564553  # "CVES", SQLite's application_id
SCHEMA_VERSION = 1
BEGINNING_TOPIC = next(topic for topic, kind in TOPICS.items() if kind is AuthorityInitialized)

TABLES = (
    # The id column must be named rowid, which the library reads; explicit, so that ids survive dump and restore.
    """CREATE TABLE stored_events (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        recorded_at_us INTEGER NOT NULL DEFAULT 0,
        UNIQUE (originator_id, originator_version))""",
    # Of one row at most: the question whether it is there costs nothing, and neither do all other rows.
    f"CREATE INDEX beginning ON stored_events (rowid) WHERE topic = '{BEGINNING_TOPIC}'",
    """CREATE TABLE vault_index (
        vault TEXT NOT NULL,
        slot INTEGER NOT NULL,
        transaction_index INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (vault, slot, transaction_index, ordinal, position)) WITHOUT ROWID""",
    """CREATE TABLE evidence (
        slot INTEGER NOT NULL,
        signature TEXT NOT NULL,
        transaction_index INTEGER NOT NULL,
        block_time INTEGER,
        body BLOB NOT NULL,
        endpoint TEXT NOT NULL,
        recorded_at_us INTEGER NOT NULL,
        PRIMARY KEY (slot, signature))""",
    """CREATE TABLE owed (
        slot INTEGER NOT NULL,
        signature TEXT NOT NULL,
        block_time INTEGER,
        PRIMARY KEY (slot, signature)) WITHOUT ROWID""",
    """CREATE TABLE walks (
        walk_id INTEGER PRIMARY KEY,
        floor INTEGER NOT NULL,
        head INTEGER NOT NULL,
        cursor TEXT)""",
    """CREATE TABLE ingest_state (
        epoch INTEGER NOT NULL,
        discovered_through INTEGER NOT NULL,
        coverage INTEGER NOT NULL,
        coverage_position INTEGER)""",
    "INSERT INTO ingest_state VALUES (0, -1, -1, NULL)",
    """CREATE TABLE binding (
        genesis_hash TEXT NOT NULL,
        program_id TEXT NOT NULL)""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


class SyncedDatastore(SQLiteDatastore):
    """A transaction is on the disk when it has committed; some builds of SQLite do less by default."""

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        with super().get_connection(commit=commit) as connection:
            connection.cursor().execute("PRAGMA synchronous = FULL")
            yield connection


class EncodedFact(NamedTuple):
    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes


class IngestRecorder(SQLiteApplicationRecorder):
    """`insert_events` stays the library's, strict; `append_new` leaves out what is stored already."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        columns = "originator_id, originator_version, topic, state"
        self.insert_events_statement = f"INSERT INTO stored_events ({columns}) VALUES (?, ?, ?, ?)"
        self.append_statement = (
            f"INSERT INTO stored_events ({columns}, recorded_at_us) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )

    def construct_create_table_statements(self) -> list[str]:
        return list(TABLES)

    def append_new(self, c: SQLiteCursor, facts: Sequence[EncodedFact], recorded_at_us: int) -> list[int | None]:
        """Positions aligned with `facts`; None where the key was stored already. Inside a write transaction."""
        if not facts:
            return []
        before = self.last_position(c)
        rows = [(f.originator_id.hex, f.originator_version, f.topic, f.state, recorded_at_us) for f in facts]
        c.executemany(self.append_statement, rows)
        c.execute("SELECT rowid, originator_id, originator_version FROM stored_events WHERE rowid > ?", (before,))
        stored = {(row[1], row[2]): row[0] for row in c.fetchall()}
        # pop: a key that occurs twice in a batch is new only once
        return [stored.pop((row[0], row[1]), None) for row in rows]

    def last_position(self, c: SQLiteCursor) -> int:
        c.execute("SELECT MAX(rowid) FROM stored_events")
        return c.fetchone()[0] or 0
