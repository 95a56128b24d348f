"""Keys of facts: what makes two arrivals the same fact, and in which order the chain puts them."""

from hashlib import blake2b
from typing import NamedTuple, assert_never
from uuid import UUID

from eventstore.facts import (
    AdminAccepted,
    AdminProposed,
    AuthorityInitialized,
    ChainFact,
    CollateralLocked,
    CollateralTransferred,
    CollateralUnlocked,
    ContentConflictFound,
    CoverageAdvanced,
    Deposited,
    EventDiscarded,
    EventUndecoded,
    Fact,
    GapAccepted,
    GapClosed,
    GapFact,
    GapFound,
    InclusionFact,
    OperatorActed,
    ProgramAuthorized,
    ProgramRevoked,
    TransactionFailed,
    TransactionReinstated,
    TransactionReverted,
    VaultInitialized,
    Withdrawn,
)


class FactKey(NamedTuple):
    """`originator_id` and `originator_version` of the stored event: unique in the store."""

    originator_id: UUID
    originator_version: int


class ChainOrder(NamedTuple):
    """The chain's own order, which is not the order of arrival."""

    slot: int
    transaction_index: int
    ordinal: int


def inclusion_id(slot: int, signature: str, revision: int) -> UUID:
    """Stream of one decode revision of one inclusion: blake2b(slot, u64 BE | signature, base58 | revision, u32 BE)."""
    key = slot.to_bytes(8, "big") + signature.encode() + revision.to_bytes(4, "big")
    return UUID(bytes=blake2b(key, digest_size=16, person=b"inclusion").digest())


def service_id(kind: str, *natural_key: str | int) -> UUID:
    """Stream of a service fact, made of its kind and what it is about; never that of an inclusion."""
    key = "\0".join((kind, *map(str, natural_key)))
    return UUID(bytes=blake2b(key.encode(), digest_size=16, person=b"service").digest())


def key_of(fact: Fact) -> FactKey:
    match fact:
        case TransactionFailed():
            return FactKey(service_id("TransactionFailed", fact.signature, fact.slot, fact.revision), 0)
        case EventUndecoded():
            stream = service_id("EventUndecoded", fact.signature, fact.slot, fact.revision)
            return FactKey(stream, fact.ordinal)
        case InclusionFact():
            return FactKey(service_id(type(fact).__name__, fact.signature, fact.slot, fact.times), 0)
        case GapFact():
            place = (fact.from_slot, fact.through_slot, fact.signature or "", fact.times)
            return FactKey(service_id(type(fact).__name__, *place), 0)
        case CoverageAdvanced():
            return FactKey(service_id("CoverageAdvanced", fact.through_slot), 0)
        case ContentConflictFound():
            digest = blake2b(fact.incoming, digest_size=16).hexdigest()
            return FactKey(service_id("ContentConflictFound", fact.key, fact.topic, digest), 0)
        case OperatorActed():
            did = (fact.operator, fact.action, fact.subject, fact.acted_at_us)
            return FactKey(service_id("OperatorActed", *did), 0)
        case EventDiscarded():
            return FactKey(service_id("EventDiscarded", fact.projection, fact.vault, fact.key), 0)
        case _:
            return FactKey(inclusion_id(fact.slot, fact.signature, fact.revision), fact.ordinal)


def streams_of(slot: int, signature: str, revision: int) -> tuple[UUID, UUID, UUID]:
    """All that can hold facts of one decode of one inclusion."""
    return (
        inclusion_id(slot, signature, revision),
        service_id("TransactionFailed", signature, slot, revision),
        service_id("EventUndecoded", signature, slot, revision),
    )


def key_text(key: FactKey) -> str:
    """As facts name another fact."""
    return f"{key.originator_id.hex}:{key.originator_version}"


def chain_order(fact: ChainFact) -> ChainOrder:
    return ChainOrder(fact.slot, fact.transaction_index, fact.ordinal)


def vaults_of(fact: Fact) -> tuple[str, ...]:
    """The vaults whose balances the fact carries, each once."""
    match fact:
        case VaultInitialized() | Deposited() | Withdrawn() | CollateralLocked() | CollateralUnlocked():
            return (fact.vault,)
        case CollateralTransferred():
            return tuple(dict.fromkeys((fact.from_vault, fact.to_vault)))
        case (
            AuthorityInitialized()
            | ProgramAuthorized()
            | ProgramRevoked()
            | AdminProposed()
            | AdminAccepted()
            | TransactionFailed()
            | EventUndecoded()
            | TransactionReverted()
            | TransactionReinstated()
            | GapFound()
            | GapClosed()
            | GapAccepted()
            | CoverageAdvanced()
            | ContentConflictFound()
            | OperatorActed()
            | EventDiscarded()
        ):
            return ()
        case _:
            assert_never(fact)
