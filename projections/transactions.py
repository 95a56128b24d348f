"""The collection `transactions`: one document per event and vault that it touched."""

from typing import assert_never

from msgspec import structs

from eventstore.facts import (
    CollateralLocked,
    CollateralTransferred,
    CollateralUnlocked,
    Deposited,
    Fact,
    VaultInitialized,
    Withdrawn,
)
from eventstore.identity import key_of, vaults_of
from eventstore.port import StoredFact
from projections.documents import TransactionDocument, TransactionKind
from projections.projection import Fallen, Projection
from projections.vaults import VaultEvent, leg_of


def document_id(fact: Fact, vault: str) -> str:
    """Event identity and leg: the same for the same event, however often it is seen."""
    key = key_of(fact)
    return f"{key.originator_id.hex}:{key.originator_version}:{vault}"


def touches(fact: Fact) -> tuple[str, ...]:
    return tuple(document_id(fact, vault) for vault in vaults_of(fact))


def evolve(_: TransactionDocument | None, id_: str, stored: StoredFact) -> TransactionDocument:
    event, vault = stored.fact, id_.rsplit(":", 1)[1]
    assert isinstance(event, VaultEvent), event
    leg = leg_of(event, vault)
    kind, amount, counterparty = _change(event, vault)
    return TransactionDocument(
        id=id_,
        vault=vault,
        owner=leg.owner,
        counterparty=counterparty,
        kind=kind,
        amount=amount,
        total_balance=leg.total_balance,
        locked_balance=leg.locked_balance,
        available_balance=leg.available_balance,
        signature=event.signature,
        slot=event.slot,
        transaction_index=event.transaction_index,
        ordinal=event.ordinal,
        block_time=event.block_time,
        timestamp=event.timestamp,
        recorded_position=stored.position,
        turns=(stored.position,),
    )


def judge(document: TransactionDocument, fallen: Fallen) -> TransactionDocument:
    """What a reverted inclusion said is kept, with what became of it."""
    stands = fallen.state == "standing"
    return structs.replace(
        document,
        status=fallen.state,
        superseded=fallen.state == "superseded",
        reverted_position=None if stands or not fallen.turns else fallen.turns[-1],
        turns=fallen.turns,
    )


def _change(event: VaultEvent, vault: str) -> tuple[TransactionKind, int, str | None]:
    """Kind, amount and counterparty."""
    match event:
        case VaultInitialized():
            return "initialize", 0, None
        case Deposited():
            return "deposit", event.amount, None
        case Withdrawn():
            return "withdraw", event.amount, None
        case CollateralLocked():
            return "lock", event.amount, None
        case CollateralUnlocked():
            return "unlock", event.amount, None
        case CollateralTransferred() if vault == event.from_vault:
            return "transferOut", event.amount, event.to_vault
        case CollateralTransferred():
            return "transferIn", event.amount, event.from_vault
        case _:
            assert_never(event)


TRANSACTIONS = Projection(
    name="transactions",
    version=2,
    document=TransactionDocument,
    touches=touches,
    evolve=evolve,
    accumulates=False,
    judge=judge,
    vault_of=lambda id_: id_.rsplit(":", 1)[1],
    indexes=(
        ("vault", "superseded", "slot", "transaction_index", "ordinal", "id"),
        ("signature", "id"),
        ("timestamp", "slot", "id"),
    ),
    amounts=frozenset({"amount", "total_balance", "locked_balance", "available_balance"}),
    not_in_digest=frozenset({"recorded_position", "reverted_position", "turns"}),
)
