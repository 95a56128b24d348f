"""The state of all vaults at a point, written out row by row: the same bytes whenever it is asked for again."""

from datetime import datetime

from eventstore.port import FactReader
from projections.documents import TransactionDocument

COLUMNS = (
    "vault",
    "owner",
    "totalBalance",
    "lockedBalance",
    "availableBalance",
    "slot",
    "transactionIndex",
    "ordinal",
    "signature",
    "timestamp",
)


def row_of(state: TransactionDocument) -> tuple[str | int, ...]:
    """Amounts are decimal strings of base units, times Unix seconds; what comes last of a vault is the transaction that
    made its balances so."""
    return (
        state.vault,
        state.owner,
        str(state.total_balance),
        str(state.locked_balance),
        str(state.available_balance),
        state.slot,
        state.transaction_index,
        state.ordinal,
        state.signature,
        state.timestamp,
    )


def moment_s(text: str) -> int:
    """Unix seconds, or ISO 8601 with its offset from UTC, rounded down. Raises ValueError."""
    if text.isdecimal():
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text}: say which time zone, as in 2026-01-31T12:00:00Z")
    return int(moment.timestamp())


def position_at(facts: FactReader, time_s: int) -> int:
    """The last position of what was recorded by the end of that second; 0 before the first fact."""
    low, high = 0, facts.last_position()
    while low < high:
        middle = (low + high) // 2
        found = facts.read_after(middle, 1)  # positions may have holes
        if found and found[0].recorded_at_us < (time_s + 1) * 1_000_000:
            low = min(found[0].position, high)
        else:
            high = middle
    return low
