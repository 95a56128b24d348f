"""What a vault's own history makes of its documents: whole histories in chain order, not steps in order of arrival.

Deliberately other code than the projections' `evolve`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from eventstore.facts import CollateralTransferred, Deposited, Fact, VaultFact, VaultInitialized, Withdrawn
from eventstore.identity import key_of
from projections.told import History
from projections.vaults import U64_MAX

Fields = dict[str, Any]


def _vault(vault: str, history: History) -> Iterator[tuple[str, Fields]]:
    events = [told.stored.fact for told in history if told.state == "standing"]
    if not events:
        return
    last = _seen_from(vault, events[-1])
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


def _transactions(vault: str, history: History) -> Iterator[tuple[str, Fields]]:
    for stored, state in history:
        if state == "discarded":
            continue
        key = key_of(stored.fact)
        id_ = f"{key.originator_id.hex}:{key.originator_version}:{vault}"
        own = {"id": id_, "vault": vault, "recorded_position": stored.position}
        own |= {"status": state, "superseded": state == "superseded"}
        yield id_, own | _seen_from(vault, stored.fact)


def _seen_from(vault: str, event: Fact) -> Fields:
    """What one event says to one of its vaults."""
    assert isinstance(event, VaultInitialized | VaultFact | CollateralTransferred), event
    said: Fields = {"counterparty": None, "amount": 0, "kind": KINDS[type(event).__name__]}
    if isinstance(event, CollateralTransferred):
        mine, other, said["kind"] = (
            ("to", "from", "transferIn") if event.to_vault == vault else ("from", "to", "transferOut")
        )
        said["amount"], said["counterparty"] = event.amount, getattr(event, f"{other}_vault")
    else:
        mine, said["amount"] = "", getattr(event, "amount", 0)
    for field in ("owner", "total_balance", "locked_balance", "available_balance"):
        said[field] = getattr(event, f"{mine}_{field}" if mine else field)
    for field in ("signature", "slot", "transaction_index", "ordinal", "block_time", "timestamp"):
        said[field] = getattr(event, field)
    return said


KINDS = {
    "VaultInitialized": "initialize",
    "Deposited": "deposit",
    "Withdrawn": "withdraw",
    "CollateralLocked": "lock",
    "CollateralUnlocked": "unlock",
    "CollateralTransferred": "",
}


def _balance_snapshots(vault: str, history: History) -> Iterator[tuple[str, Fields]]:
    last: dict[tuple[str, int], Fields] = {}
    for stored, state in history:
        said = _seen_from(vault, stored.fact)
        if state == "standing":
            last["hourly", said["timestamp"] - said["timestamp"] % 3_600] = said
            last["daily", said["timestamp"] - said["timestamp"] % 86_400] = said
    for (period, start), said in last.items():
        id_ = f"{vault}:{period}:{start}"
        own = {"id": id_, "vault": vault, "period": period, "start": start}
        balances = {name: said[name] for name in ("owner", "total_balance", "locked_balance", "available_balance")}
        yield id_, own | balances | {f"last_{name}": said[name] for name in ("slot", "transaction_index", "ordinal")}


OF_VAULT: dict[str, Callable[[str, History], Iterator[tuple[str, Fields]]]] = {
    "vaults": _vault,
    "transactions": _transactions,
    "balance_snapshots": _balance_snapshots,
}
