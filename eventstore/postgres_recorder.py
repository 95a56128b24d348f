"""The library's PostgreSQL recorder with the tables of ours, and an append that skips what is known."""

from collections.abc import Sequence
from typing import Any

from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Cursor

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

SCHEMA = "event_store"
TYPES: dict[Kind, str] = {"integer": "bigint", "text": 'text COLLATE "C"', "bytes": "bytea"}
ARRAYS: dict[Kind, str] = {"integer": "bigint[]", "text": "text[]", "bytes": "bytea[]"}

# Columns and storage as the library makes them, with the time of recording beside.
STORED_EVENTS = """CREATE TABLE stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial,
    recorded_at_us bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (originator_id, originator_version))
    WITH (
        autovacuum_vacuum_threshold = 100000000,
        autovacuum_vacuum_scale_factor = 0.5,
        autovacuum_analyze_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.01)"""

# What the library's own, strict insertion passes its events in; appending does without.
STORED_EVENT_TYPE = (
    "CREATE TYPE stored_event_uuid AS (originator_id uuid, originator_version bigint, topic text, state bytea)"
)

STATEMENTS = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"SET LOCAL search_path TO {SCHEMA}",
    STORED_EVENTS,
    "CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id)",
    STORED_EVENT_TYPE,
    *topic_indexes("notification_id"),
    facts_view("notification_id"),
    *(portable_create_statement(table, TYPES) for table in TABLES),
    *INDEXES,
    "ALTER TABLE evidence ALTER body SET STORAGE EXTERNAL",  # it is compressed already
    FIRST_STATE,
    "CREATE TABLE schema_version (version bigint NOT NULL)",
    f"INSERT INTO schema_version VALUES ({SCHEMA_VERSION})",
)


def insert_statement(table: Table) -> str:
    """One array for each column: a tenth of the work of a parameter for each value."""
    arrays = ", ".join(f"%b::{ARRAYS[column.kind]}" for column in table.columns)
    return f"INSERT INTO {table.name} SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"


def delete_statement(table: Table) -> str:
    arrays = ", ".join(f"%b::{ARRAYS[kind]}" for kind in table.kinds_of(table.key))
    condition = " AND ".join(f"{table.name}.{name} = gone.{name}" for name in table.key)
    return f"DELETE FROM {table.name} USING unnest({arrays}) AS gone ({', '.join(table.key)}) WHERE {condition}"


def create_statement(table: Table) -> str:
    return portable_create_statement(table, TYPES)


class IngestRecorder(PostgresApplicationRecorder):
    """`insert_events` stays the library's, strict; `append_new` leaves out what is stored already."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore)
        self.append_statement = (
            "INSERT INTO stored_events (originator_id, originator_version, topic, state, recorded_at_us)"
            " SELECT id, version, topic, state, %b::bigint"
            " FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[]) AS new (id, version, topic, state)"
            " ON CONFLICT DO NOTHING RETURNING originator_id, originator_version, notification_id"
        )

    def create_table(self) -> None:
        with self.datastore.transaction(commit=True) as c:
            self.create_tables(c)
        self.datastore.register_type_adapters()

    def create_tables(self, c: Cursor[Any]) -> None:
        """Ours, in one transaction; none of the library's database functions."""
        for statement in STATEMENTS:
            c.execute(statement.encode())

    def lock_for_writing(self, c: Cursor[Any]) -> None:
        """One writer at a time, until it has committed: so no position becomes visible after a higher one."""
        c.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")

    def append_new(self, c: Cursor[Any], facts: Sequence[EncodedFact], recorded_at_us: int) -> list[int | None]:
        """Positions aligned with `facts`; None where the key was stored already. Inside a write transaction."""
        if not facts:
            return []
        c.execute(self.append_statement, (recorded_at_us, *map(list, zip(*facts, strict=True))), prepare=True)
        stored = {(row[0], row[1]): int(row[2]) for row in c.fetchall()}
        # pop: a key that occurs twice in a batch is new only once
        return [stored.pop((f.originator_id, f.originator_version), None) for f in facts]

    def append_at(self, c: Cursor[Any], facts: Sequence[StoredBytes]) -> int:
        """How many keys were new. Inside a write transaction."""
        rows = [(f.position, *f.key, f.topic, f.state, f.recorded_at_us) for f in facts]
        stored = c.execute(
            "INSERT INTO stored_events"
            " (notification_id, originator_id, originator_version, topic, state, recorded_at_us)"
            " SELECT * FROM unnest(%b::bigint[], %b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::bigint[])"
            " ON CONFLICT (originator_id, originator_version) DO NOTHING",
            [list(column) for column in zip(*rows, strict=True)],
        ).rowcount
        c.execute(
            "SELECT setval(pg_get_serial_sequence('stored_events', 'notification_id'), %b)", (facts[-1].position,)
        )
        return stored
