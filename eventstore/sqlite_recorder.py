"""The library's SQLite recorder with the tables of ours, and an append that skips what is known."""

import sqlite3
from collections.abc import Sequence

from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from eventstore.backend import EncodedFact
from eventstore.port import StoredBytes
from eventstore.tables import (
    FIRST_STATE,
    INDEXES,
    SCHEMA_VERSION,
    TABLES,
    Kind,
    Table,
    facts_view,
    topic_indexes,
)
from eventstore.tables import create_statement as portable_create_statement

APPLICATION_ID = 0x43564553  # "CVES", SQLite's application_id
TYPES: dict[Kind, str] = {"integer": "INTEGER", "text": "TEXT", "bytes": "BLOB"}

# The id column must be named rowid, which the library reads; explicit, so that ids survive dump and restore.
STORED_EVENTS = """CREATE TABLE stored_events (
    rowid INTEGER PRIMARY KEY,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    recorded_at_us INTEGER NOT NULL DEFAULT 0,
    UNIQUE (originator_id, originator_version))"""


def create_statement(table: Table) -> str:
    return portable_create_statement(table, TYPES) + (" WITHOUT ROWID" if table.narrow else "")


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
        return [
            STORED_EVENTS,
            *topic_indexes("rowid"),
            facts_view("rowid"),
            *(create_statement(table) for table in TABLES),
            *INDEXES,
            FIRST_STATE,
            f"PRAGMA application_id = {APPLICATION_ID}",
            f"PRAGMA user_version = {SCHEMA_VERSION}",
        ]

    def append_new(self, c: sqlite3.Cursor, facts: Sequence[EncodedFact], recorded_at_us: int) -> list[int | None]:
        """Positions aligned with `facts`; None where the key was stored already. Inside a write transaction."""
        if not facts:
            return []
        before = c.execute("SELECT MAX(rowid) FROM stored_events").fetchone()[0] or 0
        rows = [(f.originator_id.hex, f.originator_version, f.topic, f.state, recorded_at_us) for f in facts]
        c.executemany(self.append_statement, rows)
        if c.rowcount == len(rows):
            return list(range(before + 1, before + 1 + len(rows)))
        c.execute("SELECT rowid, originator_id, originator_version FROM stored_events WHERE rowid > ?", (before,))
        stored = {(row[1], row[2]): row[0] for row in c.fetchall()}
        # pop: a key that occurs twice in a batch is new only once
        return [stored.pop((row[0], row[1]), None) for row in rows]

    def append_at(self, c: sqlite3.Cursor, facts: Sequence[StoredBytes]) -> int:
        """How many keys were new. Inside a write transaction."""
        rows = [
            (f.position, f.key.originator_id.hex, f.key.originator_version, *f[3:], f.recorded_at_us) for f in facts
        ]
        return c.executemany(
            "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state, recorded_at_us)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (originator_id, originator_version) DO NOTHING",
            rows,
        ).rowcount
