"""The collection `coverage`: through which slot the event store is complete, and every gap that was ever found."""

from typing import assert_never

from eventstore.facts import CoverageAdvanced, Fact, GapAccepted, GapClosed, GapFound
from eventstore.port import StoredFact
from projections.documents import CoverageDocument, GapState
from projections.projection import Projection

COMPLETE = "complete"
"""The id of the one document that is no gap's."""


def touches(fact: Fact) -> tuple[str, ...]:
    match fact:
        case CoverageAdvanced():
            return (COMPLETE,)
        case GapFound() | GapClosed() | GapAccepted():
            return (f"gap:{fact.from_slot}:{fact.through_slot}:{fact.signature or ''}",)
        case _:
            return ()


def evolve(document: CoverageDocument | None, id_: str, stored: StoredFact) -> CoverageDocument:
    """The highest coverage; of a gap, what was said last: it is found, accepted, closed, and found again."""
    fact = stored.fact
    if isinstance(fact, CoverageAdvanced):
        return _complete(document, fact)
    assert isinstance(fact, GapFound | GapClosed | GapAccepted), fact
    state = _state(fact)
    if document is not None and (fact.times, STEPS.index(state)) < (document.times, STEPS.index(document.state)):
        return document
    return CoverageDocument(
        id=id_,
        state=state,
        from_slot=fact.from_slot,
        through_slot=fact.through_slot,
        signature=fact.signature,
        times=fact.times,
        reason=fact.reason,
        operator=fact.operator if isinstance(fact, GapAccepted) else None,
        block_time=None,
        blockhash=None,
    )


STEPS: tuple[GapState, ...] = ("complete", "open", "accepted", "closed")


def _state(fact: GapFound | GapClosed | GapAccepted) -> GapState:
    match fact:
        case GapFound():
            return "open"
        case GapAccepted():
            return "accepted"
        case GapClosed():
            return "closed"
        case _:
            assert_never(fact)


def _complete(document: CoverageDocument | None, coverage: CoverageAdvanced) -> CoverageDocument:
    if document is not None and coverage.through_slot < document.through_slot:
        return document
    return CoverageDocument(
        id=COMPLETE,
        state="complete",
        from_slot=0,
        through_slot=coverage.through_slot,
        signature=None,
        times=0,
        reason=None,
        operator=None,
        block_time=coverage.block_time,
        blockhash=coverage.blockhash,
    )


COVERAGE = Projection(
    name="coverage",
    version=1,
    document=CoverageDocument,
    touches=touches,
    evolve=evolve,
    accumulates=True,
    indexes=(("state", "from_slot", "id"),),
    amounts=frozenset(),
)
