"""What an event store asks of the database it is kept in; all else is one code for every backend.

Statements are written once, in the SQL that SQLite and PostgreSQL share, with `?` for each parameter. They read facts
through the view `facts` (position, originator_id, originator_version, topic, state, recorded_at_us).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from eventstore.port import StoredBytes
from eventstore.tables import Table

Value = int | str | bytes | UUID | None
Row = Sequence[Any]


class EncodedFact(NamedTuple):
    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes


class Transaction(Protocol):
    """One transaction of the database, or one snapshot of it."""

    def rows(self, statement: str, parameters: Sequence[Value] = ()) -> list[Row]: ...

    def first_rows(self, statement: str, parameters: Sequence[Sequence[Value]]) -> list[Row]:
        """The first row of what the statement finds with each of `parameters`; it must find one."""

    def execute(self, statement: str, parameters: Sequence[Value] = ()) -> None: ...

    def insert(self, table: Table, rows: Sequence[Sequence[Value]]) -> int:
        """Rows in the order of the table's columns; returns how many. Those whose key is there already are left out."""

    def delete(self, table: Table, keys: Sequence[Sequence[Value]]) -> None:
        """Keys in the order of `table.key`; those that are not there are passed over."""

    def append_new(self, facts: Sequence[EncodedFact], recorded_at_us: int) -> list[int | None]:
        """Positions aligned with `facts`, rising; None where the key was stored already, or earlier in `facts`."""

    def append_at(self, facts: Sequence[StoredBytes]) -> int:
        """At their own positions, none of which is taken; returns how many keys were new."""

    def create(self, table: Table) -> None: ...

    def set_version(self, version: int) -> None: ...


class Backend(Protocol):
    """A place for one event store. Every call may raise StoreBusy, StoreUnwritable or StoreUnreachable."""

    where: str
    """For messages: never with a password."""

    def version(self) -> int | None:
        """Schema version of the store; None if there is none. Raises NotAnEventStore."""

    def create(self) -> None:
        """Makes an empty store of SCHEMA_VERSION, unless another process was quicker."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """One snapshot."""

    def writing(self) -> AbstractContextManager[Transaction]:
        """The only write transaction of the store at this moment, so that positions rise in the order of commits."""

    def ensure_same(self) -> None:
        """Raises StoreReplaced if what has the store's name now is not what was opened."""

    def acquire_lease(self, holder: str) -> None:
        """Raises LeaseHeld while another process holds it; it is free again when its holder dies."""

    def holds_lease(self) -> bool:
        """False if it was acquired, lost with its connection, and taken by another since."""

    def release_lease(self) -> None: ...

    def close(self) -> None: ...
