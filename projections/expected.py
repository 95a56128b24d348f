"""What a vault's own history makes of its one or few documents: in chain order, not steps in order of arrival.

Deliberately other code than the projections' `evolve`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from eventstore.facts import (
    CollateralLocked,
    CollateralTransferred,
    CollateralUnlocked,
    Deposited,
    Fact,
    VaultFact,
    VaultInitialized,
    Withdrawn,
)
from projections.told import History
from projections.vaults import U64_MAX

Fields = dict[str, Any]


def _vault(vault: str, history: History) -> Iterator[tuple[str, Fields]]:
    events = [told.stored.fact for told in history if told.state == "standing"]
    if not events:
        return
    last = seen_from(vault, events[-1])
    first = next((e for e in events if isinstance(e, VaultInitialized)), None)
    deposits = [e.amount for e in events if isinstance(e, Deposited)]
    withdrawals = [e.amount for e in events if isinstance(e, Withdrawn)]
    yield (
        vault,
        {
            "address": vault,
            "owner": last["owner"],
            "token_account": first.token_account if first else None,
            "mint": first.mint if first else None,
            "decimals": first.decimals if first else None,
            "total_balance": last["total_balance"],
            "locked_balance": last["locked_balance"],
            "available_balance": last["available_balance"],
            "deposited_total": min(sum(deposits), U64_MAX),
            "withdrawn_total": min(sum(withdrawals), U64_MAX),
            "deposit_count": len(deposits),
            "withdrawal_count": len(withdrawals),
            "created_at": first.timestamp if first else None,
            "updated_at": last["timestamp"],
            "last_slot": last["slot"],
            "last_transaction_index": last["transaction_index"],
            "last_ordinal": last["ordinal"],
            "last_signature": last["signature"],
        },
    )


def seen_from(vault: str, event: Fact) -> Fields:
    """What one event says to one of its vaults."""
    assert isinstance(event, VaultInitialized | VaultFact | CollateralTransferred), event
    said: Fields = {
        "signature": event.signature,
        "slot": event.slot,
        "transaction_index": event.transaction_index,
        "ordinal": event.ordinal,
        "block_time": event.block_time,
        "timestamp": event.timestamp,
    }
    if isinstance(event, CollateralTransferred):
        mine, other, said["kind"] = (
            ("to", "from", "transferIn") if event.to_vault == vault else ("from", "to", "transferOut")
        )
        said["amount"], said["counterparty"] = event.amount, getattr(event, f"{other}_vault")
        for field in BALANCES:
            said[field] = getattr(event, f"{mine}_{field}")
        return said
    said["kind"], said["counterparty"] = KINDS[type(event)], None
    said["amount"] = 0 if isinstance(event, VaultInitialized) else event.amount
    for field in BALANCES:
        said[field] = getattr(event, field)
    return said


BALANCES = ("owner", "total_balance", "locked_balance", "available_balance")
KINDS: dict[type[Fact], str] = {
    VaultInitialized: "initialize",
    Deposited: "deposit",
    Withdrawn: "withdraw",
    CollateralLocked: "lock",
    CollateralUnlocked: "unlock",
}


def _balance_snapshots(vault: str, history: History) -> Iterator[tuple[str, Fields]]:
    last: dict[tuple[str, int], Fact] = {}
    for stored, state in history:
        event = stored.fact
        if state == "standing":
            assert isinstance(event, VaultInitialized | VaultFact | CollateralTransferred), event
            last["hourly", event.timestamp - event.timestamp % 3_600] = event
            last["daily", event.timestamp - event.timestamp % 86_400] = event
    for (period, start), event in last.items():
        said = seen_from(vault, event)
        id_ = f"{vault}:{period}:{start}"
        own = {"id": id_, "vault": vault, "period": period, "start": start}
        balances = {name: said[name] for name in BALANCES}
        yield id_, own | balances | {f"last_{name}": said[name] for name in ("slot", "transaction_index", "ordinal")}


OF_VAULT: dict[str, Callable[[str, History], Iterator[tuple[str, Fields]]]] = {
    "vaults": _vault,
    "balance_snapshots": _balance_snapshots,
}
