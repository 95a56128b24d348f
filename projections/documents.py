"""The documents of the read models, as projectors write them and readers get them.

Amounts are u64 base units (sums of many: arbitrary size), addresses and signatures base58, times Unix seconds.
"""

from typing import Literal

from msgspec import Struct

TransactionKind = Literal["initialize", "deposit", "withdraw", "lock", "unlock", "transferOut", "transferIn"]


class VaultDocument(Struct, frozen=True, kw_only=True):
    """Balances are those of the vault's highest event in chain order; totals and counts are sums over all events."""

    address: str
    owner: str
    token_account: str | None
    """None, as mint and decimals, while the vault's initialisation is not stored yet."""
    mint: str | None
    decimals: int | None
    total_balance: int
    locked_balance: int
    available_balance: int
    deposited_total: int
    withdrawn_total: int
    deposit_count: int
    withdrawal_count: int
    created_at: int | None
    """The program's timestamp of the initialisation."""
    updated_at: int
    """The program's timestamp of the highest event."""
    last_slot: int
    last_transaction_index: int
    last_ordinal: int
    last_signature: str


class TransactionDocument(Struct, frozen=True, kw_only=True):
    """One event as it touched one vault; a transfer makes two, one for each leg."""

    id: str
    """Event identity and leg: the same event always gets the same."""
    vault: str
    owner: str
    counterparty: str | None
    """The other vault of a transfer."""
    kind: TransactionKind
    amount: int
    total_balance: int
    locked_balance: int
    available_balance: int
    signature: str
    slot: int
    transaction_index: int
    ordinal: int
    block_time: int | None
    timestamp: int
    recorded_position: int
