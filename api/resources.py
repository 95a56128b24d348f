"""What clients get: camelCase, amounts as decimal strings of base units, times in Unix seconds."""

import time
from typing import Generic, Literal, TypeVar

from msgspec import Struct

from projections.documents import TransactionDocument, TransactionKind, VaultDocument
from projections.read_models import Meta

T = TypeVar("T")


class MetaResource(Struct, frozen=True, kw_only=True, rename="camel"):
    """How complete the answer is."""

    slot: int | None
    """Highest slot of an event in the read model."""
    position: int
    """All facts of the event store up to here are in the answer."""
    generation: int
    complete_through_slot: int | None
    """Every transaction up to this finalised slot is in the answer; what is newer is provisional."""
    lag_s: float | None
    """Since the projector last said that it is alive; it does so about every second. None before the first time."""


class VaultResource(Struct, frozen=True, kw_only=True, rename="camel"):
    address: str
    owner: str
    token_account: str | None
    mint: str | None
    decimals: int | None
    total_balance: str
    locked_balance: str
    available_balance: str
    deposited_total: str
    withdrawn_total: str
    deposit_count: int
    withdrawal_count: int
    created_at: int | None
    updated_at: int
    last_slot: int
    last_signature: str
    provisional: bool
    """Its last event is newer than completeThroughSlot."""


class TransactionResource(Struct, frozen=True, kw_only=True, rename="camel"):
    """An event as it touched one vault; balances are those after it."""

    id: str
    vault: str
    owner: str
    counterparty: str | None
    type: TransactionKind
    amount: str
    total_balance: str
    locked_balance: str
    available_balance: str
    signature: str
    slot: int
    transaction_index: int
    ordinal: int
    block_time: int | None
    timestamp: int
    recorded_position: int
    status: Literal["confirmed", "finalized", "reverted"]


class PageResource(Struct, frozen=True, kw_only=True, rename="camel"):
    next_cursor: str | None
    has_more: bool


class OneResource(Struct, Generic[T], frozen=True, kw_only=True):
    data: T
    meta: MetaResource


class ManyResource(Struct, Generic[T], frozen=True, kw_only=True):
    data: list[T]
    page: PageResource
    meta: MetaResource


def meta_resource(meta: Meta) -> MetaResource:
    return MetaResource(
        slot=meta.slot,
        position=meta.position,
        generation=meta.generation,
        complete_through_slot=meta.complete_through_slot,
        lag_s=round(max(time.time() - meta.updated_at, 0.0), 3) if meta.updated_at else None,
    )


def vault_resource(vault: VaultDocument, meta: Meta) -> VaultResource:
    return VaultResource(
        address=vault.address,
        owner=vault.owner,
        token_account=vault.token_account,
        mint=vault.mint,
        decimals=vault.decimals,
        total_balance=str(vault.total_balance),
        locked_balance=str(vault.locked_balance),
        available_balance=str(vault.available_balance),
        deposited_total=str(vault.deposited_total),
        withdrawn_total=str(vault.withdrawn_total),
        deposit_count=vault.deposit_count,
        withdrawal_count=vault.withdrawal_count,
        created_at=vault.created_at,
        updated_at=vault.updated_at,
        last_slot=vault.last_slot,
        last_signature=vault.last_signature,
        provisional=not _is_covered(vault.last_slot, meta),
    )


def transaction_resource(transaction: TransactionDocument, meta: Meta) -> TransactionResource:
    return TransactionResource(
        id=transaction.id,
        vault=transaction.vault,
        owner=transaction.owner,
        counterparty=transaction.counterparty,
        type=transaction.kind,
        amount=str(transaction.amount),
        total_balance=str(transaction.total_balance),
        locked_balance=str(transaction.locked_balance),
        available_balance=str(transaction.available_balance),
        signature=transaction.signature,
        slot=transaction.slot,
        transaction_index=transaction.transaction_index,
        ordinal=transaction.ordinal,
        block_time=transaction.block_time,
        timestamp=transaction.timestamp,
        recorded_position=transaction.recorded_position,
        status=_status(transaction, meta),
    )


def _status(transaction: TransactionDocument, meta: Meta) -> Literal["confirmed", "finalized", "reverted"]:
    if transaction.status != "standing":
        return "reverted"
    return "finalized" if _is_covered(transaction.slot, meta) else "confirmed"


def _is_covered(slot: int, meta: Meta) -> bool:
    return meta.complete_through_slot is not None and slot <= meta.complete_through_slot
