"""The documents of the read models, as projectors write them and readers get them.

Amounts are u64 base units (a vault's totals stop at the largest, sums of many vaults have any size), addresses and
signatures base58, times Unix seconds.
"""

from typing import Literal

from msgspec import Struct

Status = Literal["standing", "failed", "reverted", "superseded"]
TransactionKind = Literal["initialize", "deposit", "withdraw", "lock", "unlock", "transferOut", "transferIn", "failed"]


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


class TransactionDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event as it touched one vault; a transfer makes two, one for each leg. Or a transaction that failed."""

    id: str
    """Event identity and leg: the same event always gets the same."""
    vault: str
    """Empty, as its owner, for a transaction that failed: it touched none."""
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
    """By the program's clock; -1 for a transaction that failed."""
    recorded_position: int
    status: Status = "standing"
    """`failed`: the chain has it, and nothing that it said happened. `reverted`: a fork dropped it, and no vault has it
    in its balances. `superseded`: a better decode, or another inclusion of the transaction, stands in its place."""
    superseded: bool = False
    """The status is `superseded`: of no use to who asks what happened."""
    reverted_position: int | None = None
    """Where it ceased to stand, if it does not stand; None too if it never did."""
    turns: tuple[int, ...] = ()
    """Positions at which it began to stand, ceased to, began again, and so on."""
    fee_payer: str | None = None
    """Of a transaction that failed, as all that follows."""
    error: str | None = None
    """As the node gave it, JSON text."""
    error_code: int | None = None
    """Of a custom error, whichever program's."""
    error_name: str | None = None
    """As the IDL has it, as its message; None where the error is, or may be, another program's."""
    error_message: str | None = None


class BalanceSnapshotDocument(Struct, frozen=True, kw_only=True):
    """A vault's balances after the highest event of a period; there is none for a period without events."""

    id: str
    vault: str
    owner: str
    period: Literal["hourly", "daily"]
    start: int
    """Of the period, by the program's clock."""
    total_balance: int
    locked_balance: int
    available_balance: int
    last_slot: int
    last_transaction_index: int
    last_ordinal: int


MINUTE_S = 60


class TvlDocument(Struct, frozen=True, kw_only=True):
    """What happened in one minute of chain time, and what all vaults hold at its end; or the sums of all minutes."""

    id: str
    minute: int
    """Its beginning, by the program's clock; -1 for the sums."""
    deposited: int = 0
    withdrawn: int = 0
    locked: int = 0
    unlocked: int = 0
    opened: int = 0
    """Vaults."""
    events: int = 0
    ticked: bool = False
    """Coverage arrived in the minute after it."""
    settled: bool = False
    """Coverage has passed its end; before that there are no totals."""
    total_balance: int = 0
    locked_balance: int = 0
    vault_count: int = 0


class AuditDocument(Struct, frozen=True, kw_only=True):
    """Who did what, by one fact."""

    id: str
    recorded_position: int
    hash: str = ""
    """Of the hash chain at that position, hexadecimal (`eventstore.hash_chain`)."""
    recorded_at_us: int
    """Unix microseconds when it was stored."""
    source: Literal["chain", "indexer", "operator"]
    action: str
    """The fact's name, or an operator's command."""
    user: str | None = None
    """Owner, admin or fee payer (base58), or the operator: user and host."""
    vault: str | None = None
    counterparty: str | None = None
    """The other vault of a transfer."""
    subject: str | None = None
    """What it was done to, where that is no vault."""
    reason: str | None = None
    signature: str | None = None
    slot: int | None = None
    time_s: int | None = None
    """By the program's clock, or else the node's; of an operator's command, by theirs."""
    success: bool = True
    """Not of a transaction that failed, of an event that could not be decoded, and of content that was refused."""
    error: str | None = None


GapState = Literal["complete", "open", "accepted", "closed"]


class CoverageDocument(Struct, frozen=True, kw_only=True):
    """Through which slot the event store is complete (one document), or a gap in it."""

    id: str
    state: GapState
    """`complete` for coverage, the others for gaps; an accepted gap is there, and coverage has passed it."""
    from_slot: int
    through_slot: int
    """Included."""
    signature: str | None
    """Of the one transaction that a gap lacks, where that is known."""
    times: int
    """How often the gap was found."""
    reason: str | None
    operator: str | None
    """Who accepted the gap."""
    block_time: int | None
    blockhash: str | None
    """Of coverage's slot, as its block time."""
