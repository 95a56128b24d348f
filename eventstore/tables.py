"""The tables beside the library's own, declared once for every backend, and how an older store becomes a newer one."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from eventstore.facts import AuthorityInitialized, EventUndecoded, Fact
from eventstore.topics import TOPICS

SCHEMA_VERSION = 6


def _topic_of(kind: type[Fact]) -> str:
    return next(topic for topic, known in TOPICS.items() if known is kind)


BEGINNING_TOPIC, UNDECODED_TOPIC = _topic_of(AuthorityInitialized), _topic_of(EventUndecoded)

Kind = Literal["integer", "text", "bytes"]


class Column(NamedTuple):
    name: str
    kind: Kind
    nullable: bool = False


class Table(NamedTuple):
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    """Columns that no two rows share."""
    narrow: bool = False
    """A row is little more than its key: a backend may keep it in the key's index alone."""

    def kinds_of(self, names: tuple[str, ...]) -> tuple[Kind, ...]:
        kinds = {column.name: column.kind for column in self.columns}
        return tuple(kinds[name] for name in names)


VAULT_INDEX = Table(
    "vault_index",
    (
        Column("vault", "text"),
        Column("slot", "integer"),
        Column("transaction_index", "integer"),
        Column("ordinal", "integer"),
        Column("position", "integer"),
    ),
    key=("vault", "slot", "transaction_index", "ordinal", "position"),
    narrow=True,
)
EVIDENCE = Table(
    "evidence",
    (
        Column("slot", "integer"),
        Column("signature", "text"),
        Column("transaction_index", "integer"),
        Column("block_time", "integer", nullable=True),
        Column("body", "bytes"),
        Column("endpoint", "text"),
        Column("recorded_at_us", "integer"),
        Column("quality", "integer"),
    ),
    key=("slot", "signature"),
)
OWED = Table(
    "owed",
    (Column("slot", "integer"), Column("signature", "text"), Column("block_time", "integer", nullable=True)),
    key=("slot", "signature"),
    narrow=True,
)
WALKS = Table(
    "walks",
    (
        Column("walk_id", "integer"),
        Column("floor", "integer"),
        Column("head", "integer"),
        Column("cursor", "text", nullable=True),
    ),
    key=("walk_id",),
)
UNSETTLED = Table(
    "unsettled", (Column("slot", "integer"), Column("signature", "text")), key=("slot", "signature"), narrow=True
)
REVERTS = Table(  # a row for each inclusion that was ever reverted
    "reverts",
    (
        Column("slot", "integer"),
        Column("signature", "text"),
        Column("times", "integer"),
        Column("reinstated", "integer"),
    ),
    key=("slot", "signature"),
)
GAPS = Table(  # a row for each gap that was ever found
    "gaps",
    (
        Column("from_slot", "integer"),
        Column("through_slot", "integer"),
        Column("signature", "text"),
        Column("times", "integer"),
        Column("state", "text"),
        Column("reason", "text"),
    ),
    key=("from_slot", "through_slot", "signature"),
)
SIGNATURES = Table(  # a row for each signature, with the position of the first fact about it
    "signatures", (Column("signature_id", "integer"), Column("position", "integer")), key=("signature_id",)
)
CONTESTED = Table(  # a row for each fact about a signature of which more was said than one decode of one inclusion
    "contested",
    (Column("signature", "text"), Column("position", "integer"), Column("slot", "integer")),
    key=("signature", "position"),
    narrow=True,
)
CONTESTED_INDEXES = (
    "CREATE INDEX contested_positions ON contested (position)",
    "CREATE INDEX contested_slots ON contested (slot)",
)
BACKFILL = Table(  # one row at most: that which was not finished
    "backfill",
    (
        Column("from_slot", "integer"),
        Column("head", "integer"),
        Column("slot", "integer"),
        Column("cursor", "text"),
        Column("listed", "integer"),
        Column("queued", "integer"),
    ),
)
INGEST_STATE = Table(  # one row
    "ingest_state",
    (
        Column("epoch", "integer"),
        Column("discovered_through", "integer"),
        Column("coverage", "integer"),
        Column("coverage_position", "integer", nullable=True),
    ),
)
BINDING = Table("binding", (Column("genesis_hash", "text"), Column("program_id", "text")))  # one row at most

UNSETTLED_INDEX = "CREATE INDEX unsettled_signature ON unsettled (signature)"
INDEXES = (UNSETTLED_INDEX, *CONTESTED_INDEXES)
TABLES = (
    VAULT_INDEX,
    EVIDENCE,
    OWED,
    WALKS,
    UNSETTLED,
    REVERTS,
    GAPS,
    SIGNATURES,
    CONTESTED,
    BACKFILL,
    INGEST_STATE,
    BINDING,
)
FIRST_STATE = "INSERT INTO ingest_state VALUES (0, -1, -1, NULL)"


def facts_view(position: str) -> str:
    """The library's table under our name for the column that it reads as the notification id."""
    columns = "originator_id, originator_version, topic, state, recorded_at_us"
    return f"CREATE VIEW facts AS SELECT {position} AS position, {columns} FROM stored_events"


def topic_indexes(position: str) -> tuple[str, ...]:
    """Of few rows or none: the question for them costs nothing, and neither do all other rows."""
    topics = {"beginning": BEGINNING_TOPIC, "undecoded": UNDECODED_TOPIC}
    return tuple(f"CREATE INDEX {n} ON stored_events ({position}) WHERE topic = '{t}'" for n, t in topics.items())


def create_statement(table: Table, types: Mapping[Kind, str]) -> str:
    lines = [f"{c.name} {types[c.kind]}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
    if table.key:
        lines.append(f"PRIMARY KEY ({', '.join(table.key)})")
    return f"CREATE TABLE {table.name} ({', '.join(lines)})"
