"""What the read models must say when a schedule is over: folded from the chain itself, by other code."""

from typing import Any, NamedTuple

from projections.projection import Projection
from projections.store import Generation, Query
from tests.simulation.chain_model import ChainEvent

KINDS = {
    "VaultInitialized": "initialize",
    "Deposited": "deposit",
    "Withdrawn": "withdraw",
    "CollateralLocked": "lock",
    "CollateralUnlocked": "unlock",
}
DOCUMENTS_MAX = 1_000_000


class Told(NamedTuple):
    """Of one event, by a document of `transactions`."""

    signature: str
    slot: int
    ordinal: int
    vault: str
    kind: str
    amount: int
    total: int
    locked: int


async def wrong_read_models(projection: Projection, live: Generation, events: list[ChainEvent]) -> list[str]:
    """`events` are the chain's, in its order."""
    everything = Query({}, ("id",), None, descending=False, limit=DOCUMENTS_MAX)
    documents = [row.document for row in await live.find(everything)]
    ours = [event for event in events if event.name in KINDS]
    match projection.name:
        case "transactions":
            told = sorted(_told_by(document) for document in documents if document.status == "standing")
            return _difference("transactions", told, sorted(_told(event) for event in ours))
        case "vaults":
            said = sorted((d.address, d.total_balance, d.locked_balance, d.available_balance) for d in documents)
            last = {event.fields["vault"]: event.fields for event in ours}
            return _difference("vaults", said, sorted((vault, *_balances(f)) for vault, f in last.items()))
        case _:
            return []


def _told_by(document: Any) -> Told:
    d = document
    return Told(d.signature, d.slot, d.ordinal, d.vault, d.kind, d.amount, d.total_balance, d.locked_balance)


def _told(event: ChainEvent) -> Told:
    fields = event.fields
    total, locked, _ = _balances(fields)
    amount = fields.get("amount", 0)
    return Told(event.signature, event.slot, event.ordinal, fields["vault"], KINDS[event.name], amount, total, locked)


def _balances(fields: dict[str, Any]) -> tuple[int, int, int]:
    return fields["total_balance"], fields["locked_balance"], fields["available_balance"]


def _difference(name: str, said: list[Any], expected: list[Any]) -> list[str]:
    if said == expected:
        return []
    first = next((pair for pair in zip(said, expected, strict=False) if pair[0] != pair[1]), "their number")
    return [f"{name}: {len(said)} documents where {len(expected)} are expected; the first difference: {first}"]
