"""The collection `vaults`: one document per vault, with its balances and what was ever deposited and withdrawn."""

from typing import Any, NamedTuple, assert_never

from msgspec import structs

from eventstore.facts import (
    CollateralLocked,
    CollateralTransferred,
    CollateralUnlocked,
    Deposited,
    Fact,
    ProgramFact,
    VaultInitialized,
    Withdrawn,
)
from eventstore.identity import chain_order, vaults_of
from eventstore.port import StoredFact
from projections.documents import VaultDocument
from projections.projection import Projection

U64_MAX = 2**64 - 1

VaultEvent = VaultInitialized | Deposited | Withdrawn | CollateralLocked | CollateralUnlocked | CollateralTransferred


class Leg(NamedTuple):
    """What an event says of one vault: balances after it."""

    owner: str
    total_balance: int
    locked_balance: int
    available_balance: int


def leg_of(event: VaultEvent, vault: str) -> Leg:
    if not isinstance(event, CollateralTransferred):
        return Leg(event.owner, event.total_balance, event.locked_balance, event.available_balance)
    if vault == event.from_vault:
        balances = (event.from_total_balance, event.from_locked_balance, event.from_available_balance)
        return Leg(event.from_owner, *balances)
    return Leg(event.to_owner, event.to_total_balance, event.to_locked_balance, event.to_available_balance)


def evolve(vault: VaultDocument | None, address: str, stored: StoredFact) -> VaultDocument:
    """Balances are those of the highest event in chain order; sums and counts commute. A sum stops at the largest u64,
    as the program's own totals do; so cut off, sums of what is never negative still commute."""
    event = stored.fact
    assert isinstance(event, VaultEvent), event
    vault = vault or _unseen(address, event)
    is_highest = chain_order(event) >= (vault.last_slot, vault.last_transaction_index, vault.last_ordinal)
    changed = _balances(event, leg_of(event, address)) if is_highest else {}
    match event:
        case Deposited():
            changed["deposited_total"] = min(vault.deposited_total + event.amount, U64_MAX)
            changed["deposit_count"] = vault.deposit_count + 1
        case Withdrawn():
            changed["withdrawn_total"] = min(vault.withdrawn_total + event.amount, U64_MAX)
            changed["withdrawal_count"] = vault.withdrawal_count + 1
        case VaultInitialized():
            changed |= {"token_account": event.token_account, "mint": event.mint, "decimals": event.decimals}
            changed["created_at"] = event.timestamp
        case CollateralLocked() | CollateralUnlocked() | CollateralTransferred():
            pass
        case _:
            assert_never(event)
    return structs.replace(vault, **changed)


def _unseen(address: str, event: VaultEvent) -> VaultDocument:
    leg = leg_of(event, address)
    return VaultDocument(
        address=address,
        owner=leg.owner,
        token_account=None,
        mint=None,
        decimals=None,
        total_balance=leg.total_balance,
        locked_balance=leg.locked_balance,
        available_balance=leg.available_balance,
        deposited_total=0,
        withdrawn_total=0,
        deposit_count=0,
        withdrawal_count=0,
        created_at=None,
        updated_at=event.timestamp,
        last_slot=event.slot,
        last_transaction_index=event.transaction_index,
        last_ordinal=event.ordinal,
        last_signature=event.signature,
    )


def _balances(event: ProgramFact, leg: Leg) -> dict[str, Any]:
    """Fields that are the highest event's."""
    return {
        "total_balance": leg.total_balance,
        "locked_balance": leg.locked_balance,
        "available_balance": leg.available_balance,
        "updated_at": event.timestamp,
        "last_slot": event.slot,
        "last_transaction_index": event.transaction_index,
        "last_ordinal": event.ordinal,
        "last_signature": event.signature,
    }


def touches(fact: Fact) -> tuple[str, ...]:
    return vaults_of(fact)


VAULTS = Projection(
    name="vaults",
    version=3,
    document=VaultDocument,
    touches=touches,
    evolve=evolve,
    accumulates=True,
    vault_of=lambda address: address,
    indexes=(("owner",),),
    share=15,
    amounts=frozenset({"total_balance", "locked_balance", "available_balance", "deposited_total", "withdrawn_total"}),
)
