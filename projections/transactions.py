"""The collection `transactions`: one document per event and vault that it touched, and one per failed transaction."""

from typing import assert_never

from msgspec import structs

from eventstore.facts import (
    ChainFact,
    CollateralLocked,
    CollateralTransferred,
    CollateralUnlocked,
    Deposited,
    Fact,
    TransactionFailed,
    VaultInitialized,
    Withdrawn,
)
from eventstore.identity import vaults_of
from eventstore.port import StoredFact
from projections.documents import TransactionDocument, TransactionKind
from projections.projection import Fallen, Projection
from projections.vaults import VaultEvent, leg_of


def document_id(fact: ChainFact, vault: str) -> str:
    """Event identity and leg: the same for the same event, however often it is seen. Slots first: neighbours in time
    are neighbours in every index."""
    return f"{fact.slot:012}:{fact.signature}:{fact.revision}:{fact.ordinal}:{vault}"


def touches(fact: Fact) -> tuple[str, ...]:
    if isinstance(fact, TransactionFailed):
        return (document_id(fact, ""),)
    if not isinstance(fact, VaultEvent):
        return ()
    return tuple([document_id(fact, vault) for vault in vaults_of(fact)])


def evolve(_: TransactionDocument | None, id_: str, stored: StoredFact) -> TransactionDocument:
    if isinstance(stored.fact, TransactionFailed):
        return _failed(stored.fact, id_, stored.position)
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


def _failed(fact: TransactionFailed, id_: str, position: int) -> TransactionDocument:
    return TransactionDocument(
        id=id_,
        vault="",
        owner="",
        counterparty=None,
        kind="failed",
        amount=0,
        total_balance=0,
        locked_balance=0,
        available_balance=0,
        signature=fact.signature,
        slot=fact.slot,
        transaction_index=fact.transaction_index,
        ordinal=fact.ordinal,
        block_time=fact.block_time,
        timestamp=-1,
        recorded_position=position,
        status="failed",
        turns=(position,),
        fee_payer=fact.fee_payer,
        error=fact.error,
        error_code=fact.code,
        error_name=fact.name,
        error_message=fact.message,
    )


def judge(document: TransactionDocument, fallen: Fallen) -> TransactionDocument:
    """What a reverted inclusion said is kept, with what became of it."""
    stands = fallen.state == "standing"
    return structs.replace(
        document,
        status="failed" if stands and document.kind == "failed" else fallen.state,
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
    version=3,
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
    share=50,
    amounts=frozenset({"amount", "total_balance", "locked_balance", "available_balance"}),
    not_in_digest=frozenset({"recorded_position", "reverted_position", "turns"}),
)
