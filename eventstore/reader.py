"""The reading side of an event store, whatever it is kept in."""

from collections.abc import Iterator
from contextlib import contextmanager

from eventstore import topics
from eventstore.backend import Backend, Row
from eventstore.errors import FactCorrupt, FactUnreadable, TopicUnknown, VaultIndexDamaged
from eventstore.facts import ChainFact
from eventstore.identity import ChainOrder, FactKey, chain_order, vaults_of
from eventstore.opening import prepare
from eventstore.port import Binding, FactOfVault, StoredFact
from eventstore.snapshot import StoreSnapshot, integer_of, key_of_row, read_binding

FACT_COLUMNS = "facts.position, recorded_at_us, topic, state"
OF_VAULT = """
    SELECT slot, transaction_index, ordinal, vault_index.position, recorded_at_us, topic, state
    FROM vault_index LEFT JOIN facts ON facts.position = vault_index.position
    WHERE vault = ? AND vault_index.position <= ?
    AND (slot, transaction_index, ordinal, vault_index.position) > (?, ?, ?, ?)
    ORDER BY slot, transaction_index, ordinal, vault_index.position LIMIT ?
"""
BY_VAULT = """
    SELECT vault, EXISTS (SELECT 1 FROM contested WHERE contested.position = vault_index.position),
    slot, transaction_index, ordinal, vault_index.position, recorded_at_us, topic, state
    FROM vault_index LEFT JOIN facts ON facts.position = vault_index.position
    WHERE vault_index.position <= ?
    AND (vault, slot, transaction_index, ordinal, vault_index.position) > (?, ?, ?, ?, ?)
    ORDER BY vault, slot, transaction_index, ordinal, vault_index.position LIMIT ?
"""
CONTESTED_OF_VAULT = """
    SELECT DISTINCT signature FROM vault_index JOIN contested ON contested.position = vault_index.position
    WHERE vault = ? AND vault_index.position <= ? ORDER BY signature
"""
ABOUT = f"""
    SELECT {FACT_COLUMNS} FROM contested JOIN facts ON facts.position = contested.position
    WHERE signature = ? AND contested.position <= ? ORDER BY contested.position
"""


class StoreReader:
    """Implements FactReader. For one thread; any number of processes may read while one writes."""

    def __init__(self, backend: Backend, *, create: bool = False) -> None:
        self.backend = backend
        try:
            prepare(backend, create=create)
        except BaseException:
            backend.close()
            raise

    def binding(self) -> Binding | None:
        with self.backend.reading() as t:
            return read_binding(t)

    def read_after(self, position: int, limit: int) -> list[StoredFact]:
        with self.backend.reading() as t:
            rows = t.rows(
                f"SELECT {FACT_COLUMNS} FROM facts WHERE position > ? ORDER BY position LIMIT ?", (position, limit)
            )
        return [self._stored_fact(row) for row in rows]

    def read_vault(
        self, vault: str, *, through_position: int, after: StoredFact | None = None, limit: int = 1_000
    ) -> list[StoredFact]:
        with self.backend.reading() as t:
            rows = t.rows(OF_VAULT, (vault, through_position, *_place(after), limit))
        return [self._fact_of_vault(vault, ChainOrder(*row[:3]), row[3:]) for row in rows]

    def read_by_vault(
        self, *, through_position: int, after: FactOfVault | None = None, limit: int = 1_000
    ) -> list[FactOfVault]:
        place = ("", *_place(None)) if after is None else (after.vault, *_place(after.stored))
        with self.backend.reading() as t:
            rows = t.rows(BY_VAULT, (through_position, *place, limit))
        return [
            FactOfVault(row[0], self._fact_of_vault(row[0], ChainOrder(*row[2:5]), row[5:]), bool(row[1]))
            for row in rows
        ]

    @contextmanager
    def snapshot(self) -> Iterator[StoreSnapshot]:
        with self.backend.reading() as t:
            yield StoreSnapshot(t, self.backend.where)

    def contested_between(self, after: int, through: int) -> list[str]:
        with self.backend.reading() as t:
            rows = t.rows(
                "SELECT DISTINCT signature FROM contested WHERE position > ? AND position <= ? ORDER BY signature",
                (after, through),
            )
        return [signature for (signature,) in rows]

    def contested_of_vault(self, vault: str, *, through_position: int) -> list[str]:
        with self.backend.reading() as t:
            return [signature for (signature,) in t.rows(CONTESTED_OF_VAULT, (vault, through_position))]

    def read_contested(self, signature: str, *, through_position: int) -> list[StoredFact]:
        with self.backend.reading() as t:
            rows = t.rows(ABOUT, (signature, through_position))
        return [self._stored_fact(row) for row in rows]

    def last_position(self) -> int:
        with self.backend.reading() as t:
            return t.rows("SELECT MAX(position) FROM facts")[0][0] or 0

    def key_at(self, position: int) -> FactKey | None:
        self.backend.ensure_same()
        with self.backend.reading() as t:
            rows = t.rows("SELECT originator_id, originator_version FROM facts WHERE position = ?", (position,))
        return key_of_row(self.backend.where, position, *rows[0]) if rows else None

    def close(self) -> None:
        self.backend.close()

    def _stored_fact(self, row: Row) -> StoredFact:
        """From a row of FACT_COLUMNS."""
        position, recorded_at_us, topic, state = row
        recorded_at_us = integer_of(self.backend.where, position, "recorded_at_us", recorded_at_us)
        try:
            return StoredFact(position, recorded_at_us, topics.decode(topic, state))
        except (TopicUnknown, FactCorrupt) as error:
            raise FactUnreadable(self.backend.where, position, str(error)) from error

    def _fact_of_vault(self, vault: str, order: ChainOrder, row: Row) -> StoredFact:
        position, topic = row[0], row[2]
        if topic is None:
            raise VaultIndexDamaged(self.backend.where, vault, position)
        stored = self._stored_fact(row)
        fact = stored.fact
        if not isinstance(fact, ChainFact) or chain_order(fact) != order or vault not in vaults_of(fact):
            raise VaultIndexDamaged(self.backend.where, vault, position)
        return stored


def _place(after: StoredFact | None) -> tuple[int, int, int, int]:
    """Before all places, for None."""
    if after is None:
        return (-1, -1, -1, -1)
    assert isinstance(after.fact, ChainFact), after
    return (*chain_order(after.fact), after.position)
