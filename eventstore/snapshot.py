"""What an event store holds at one moment, as it is stored."""

from uuid import UUID

from eventstore.backend import Row, Transaction
from eventstore.errors import FactCorrupt, FactUnreadable
from eventstore.identity import FactKey
from eventstore.port import Binding, StoredBytes, StoredEvidence

EVIDENCE_COLUMNS = """
    signature, slot, transaction_index, block_time, body, endpoint, recorded_at_us, quality,
    NOT EXISTS (SELECT 1 FROM unsettled u WHERE u.slot = e.slot AND u.signature = e.signature)
"""
EVIDENCE_AFTER = f"""
    SELECT {EVIDENCE_COLUMNS} FROM evidence e WHERE (slot, signature) > (?, ?) ORDER BY slot, signature LIMIT ?
"""
EVIDENCE_OF = f"SELECT {EVIDENCE_COLUMNS} FROM evidence e WHERE signature = ? ORDER BY slot"


class StoreSnapshot:
    """Implements Snapshot."""

    def __init__(self, transaction: Transaction, where: str) -> None:
        self._t, self.where = transaction, where

    def binding(self) -> Binding | None:
        return read_binding(self._t)

    def bytes_after(self, position: int, limit: int) -> list[StoredBytes]:
        rows = self._t.rows(
            "SELECT position, recorded_at_us, originator_id, originator_version, topic, state FROM facts"
            " WHERE position > ? ORDER BY position LIMIT ?",
            (position, limit),
        )
        return [self._stored_bytes(row) for row in rows]

    def evidence_after(self, slot: int, signature: str, limit: int) -> list[StoredEvidence]:
        return [_stored_evidence(row) for row in self._t.rows(EVIDENCE_AFTER, (slot, signature, limit))]

    def evidence_of(self, signature: str) -> list[StoredEvidence]:
        return [_stored_evidence(row) for row in self._t.rows(EVIDENCE_OF, (signature,))]

    def evidence_count(self) -> int:
        return int(self._t.rows("SELECT COUNT(*) FROM evidence")[0][0])

    def _stored_bytes(self, row: Row) -> StoredBytes:
        position, recorded_at_us, originator_id, originator_version, topic, state = row
        recorded_at_us = integer_of(self.where, position, "recorded_at_us", recorded_at_us)
        key = key_of_row(self.where, position, originator_id, originator_version)
        if not (isinstance(topic, str) and isinstance(state, bytes)):
            raise FactUnreadable(self.where, position, str(FactCorrupt("its topic is no text, or its state no bytes")))
        return StoredBytes(position, recorded_at_us, key, topic, state)


def key_of_row(where: str, position: int, originator_id: object, originator_version: object) -> FactKey:
    """Raises FactUnreadable."""
    try:
        stream = UUID(str(originator_id))
    except ValueError as error:
        corrupt = FactCorrupt("its originator_id is no UUID")
        raise FactUnreadable(where, position, str(corrupt)) from error
    return FactKey(stream, integer_of(where, position, "originator_version", originator_version))


def integer_of(where: str, position: int, column: str, value: object) -> int:
    """SQLite keeps whatever it is given in any column. Raises FactUnreadable."""
    if not isinstance(value, int):
        raise FactUnreadable(where, position, str(FactCorrupt(f"its {column} is no integer")))
    return value


def _stored_evidence(row: Row) -> StoredEvidence:
    return StoredEvidence._make((*row[:-1], bool(row[-1])))


def read_binding(t: Transaction) -> Binding | None:
    rows = t.rows("SELECT genesis_hash, program_id FROM binding")
    return Binding(*rows[0]) if rows else None
