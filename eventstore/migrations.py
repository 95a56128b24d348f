"""How an older store becomes a newer one."""

from collections.abc import Callable

from eventstore import contested
from eventstore.backend import Transaction
from eventstore.tables import (
    BACKFILL,
    CONTESTED,
    CONTESTED_INDEXES,
    GAPS,
    REVERTS,
    SIGNATURES,
    UNSETTLED,
    UNSETTLED_INDEX,
    Table,
    facts_view,
)

Step = str | Table | Callable[[Transaction], None]

MIGRATIONS: dict[int, tuple[Step, ...]] = {
    1: (facts_view("rowid"),),  # only SQLite stores were ever of version 1
    2: (
        UNSETTLED,
        REVERTS,
        GAPS,
        UNSETTLED_INDEX,
        "INSERT INTO unsettled SELECT slot, signature FROM evidence WHERE slot > (SELECT coverage FROM ingest_state)",
    ),
    3: (SIGNATURES, CONTESTED, *CONTESTED_INDEXES, contested.fill),
    4: (BACKFILL,),
    5: ("ALTER TABLE evidence ADD COLUMN quality bigint NOT NULL DEFAULT 0",),
}
"""From a version to the next: statements that every backend understands, tables to create, and what is to be done."""
