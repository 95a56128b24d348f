"""The collection `audit_logs`: who did what, on the chain and to this service, one document per fact.

All facts but coverage, also those that a fork dropped later: that is a fact of its own. Each document has the hash of
the store's hash chain at its position.
"""

from typing import Any, assert_never

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
    ProgramFact,
    ProgramRevoked,
    TransactionFailed,
    TransactionReinstated,
    TransactionReverted,
    VaultInitialized,
    Withdrawn,
)
from eventstore.identity import key_of, key_text
from eventstore.port import StoredFact
from projections.documents import AuditDocument
from projections.projection import Projection


def document_id(fact: Fact) -> str:
    """Identity of the fact; slots first: neighbours in time are neighbours in every index."""
    key = key_text(key_of(fact))
    return f"{fact.slot:012}:{key}" if isinstance(fact, ChainFact | InclusionFact) else key


def touches(fact: Fact) -> tuple[str, ...]:
    return () if isinstance(fact, CoverageAdvanced) else (document_id(fact),)


def evolve(_: AuditDocument | None, id_: str, stored: StoredFact) -> AuditDocument:
    """All but the hash, which is not the fact's alone."""
    fact = stored.fact
    said = _said(fact)
    if isinstance(fact, ChainFact | InclusionFact | EventDiscarded):
        said |= {"signature": fact.signature, "slot": fact.slot}
    if isinstance(fact, ProgramFact):
        said["time_s"] = fact.timestamp
    elif isinstance(fact, ChainFact):
        said["time_s"] = fact.block_time
    return AuditDocument(
        id=id_,
        recorded_position=stored.position,
        recorded_at_us=stored.recorded_at_us,
        **{"action": type(fact).__name__} | said,
    )


def _said(fact: Fact) -> dict[str, Any]:
    match fact:
        case VaultInitialized() | Deposited() | Withdrawn() | CollateralLocked() | CollateralUnlocked():
            return {"source": "chain", "user": fact.owner, "vault": fact.vault}
        case CollateralTransferred():
            return {
                "source": "chain",
                "user": fact.from_owner,
                "vault": fact.from_vault,
                "counterparty": fact.to_vault,
            }
        case ProgramAuthorized() | ProgramRevoked():
            return {"source": "chain", "user": fact.admin, "subject": fact.program}
        case AdminProposed():
            return {"source": "chain", "user": fact.admin, "subject": fact.pending_admin}
        case AuthorityInitialized() | AdminAccepted():
            return {"source": "chain", "user": fact.admin, "subject": fact.authority}
        case TransactionFailed():
            error = fact.error if fact.name is None else f"{fact.name}: {fact.message or fact.error}"
            return {"source": "chain", "user": fact.fee_payer, "success": False, "error": error}
        case EventUndecoded():
            return {"source": "chain", "success": False, "error": fact.reason}
        case TransactionReverted() | TransactionReinstated():
            return {"source": "indexer"}
        case GapFound() | GapClosed():
            return {"source": "indexer", "subject": _slots(fact), "reason": fact.reason}
        case GapAccepted():
            return {"source": "operator", "user": fact.operator, "subject": _slots(fact), "reason": fact.reason}
        case ContentConflictFound():
            error = f"{fact.key} arrived again with other content, which was refused"
            return {"source": "indexer", "subject": fact.key, "success": False, "error": error}
        case OperatorActed():
            return {
                "source": "operator",
                "action": fact.action,
                "user": fact.operator,
                "subject": fact.subject,
                "reason": fact.reason,
                "time_s": fact.acted_at_us // 1_000_000,
            }
        case EventDiscarded():
            return {
                "source": "operator",
                "user": fact.operator,
                "vault": fact.vault,
                "subject": fact.projection,
                "reason": fact.reason,
            }
        case CoverageAdvanced():
            raise AssertionError(fact)
        case _:
            assert_never(fact)


def _slots(gap: GapFact) -> str:
    slots = f"slots {gap.from_slot} to {gap.through_slot}"
    return slots if gap.signature is None else f"{slots}, {gap.signature}"


AUDIT_LOGS = Projection(
    name="audit_logs",
    version=1,
    document=AuditDocument,
    touches=touches,
    evolve=evolve,
    accumulates=False,
    is_chained=True,
    indexes=(("recorded_position", "id"),),
    share=30,
    amounts=frozenset(),
    not_in_digest=frozenset({"recorded_position", "hash", "recorded_at_us"}),
    in_digest=lambda document: document.source == "chain",
)
