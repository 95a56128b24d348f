"""Which of the things that were said about one signature stand: pure, the one place of the rule.

Of a signature there can be several inclusions (a fork moved it to another slot), of an inclusion several decode
revisions, and an inclusion can be reverted and reinstated. At most one revision of one inclusion stands:

- an inclusion that was reverted more often than reinstated does not stand;
- of the others the finalised one stands (at or below coverage), and before finality the one in the highest slot;
- of an inclusion the highest revision stands as a whole.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from eventstore.facts import (
    ChainFact,
    CoverageAdvanced,
    EventDiscarded,
    Fact,
    TransactionReinstated,
    TransactionReverted,
)
from eventstore.identity import key_of, key_text
from eventstore.port import StoredFact

State = Literal["standing", "reverted", "superseded"]
"""A fact is superseded by a higher revision of its inclusion, or by another inclusion that stands in its place."""


class Standing(NamedTuple):
    """Of one signature."""

    slot: int | None
    """Of the inclusion that stands; None if none does."""
    reverted: frozenset[int]
    """Slots of inclusions that are reverted."""
    revisions: dict[int, int]
    """The highest, by slot."""

    def state_of(self, fact: ChainFact) -> State:
        """`fact` is one of those that the standing was made of."""
        if fact.revision < self.revisions[fact.slot]:
            return "superseded"
        if fact.slot in self.reverted:
            return "reverted"
        return "standing" if fact.slot == self.slot else "superseded"


def standing(about: Iterable[Fact]) -> Standing:
    """What was said about one signature, in any order, each as often as one likes, with the coverage that matters."""
    revisions: dict[int, int] = {}
    last: dict[int, int] = {}
    coverage = -1
    for fact in about:
        match fact:
            case ChainFact():
                revisions[fact.slot] = max(fact.revision, revisions.get(fact.slot, 0))
            case TransactionReverted():
                last[fact.slot] = max(2 * fact.times - 1, last.get(fact.slot, 0))
            case TransactionReinstated():
                last[fact.slot] = max(2 * fact.times, last.get(fact.slot, 0))
            case CoverageAdvanced():
                coverage = max(fact.through_slot, coverage)
            case EventDiscarded():
                pass  # of one projection and vault; it stands all the same
            case _:
                raise AssertionError(fact)
    reverted = frozenset(slot for slot, times in last.items() if times % 2)
    unreverted = [slot for slot in revisions if slot not in reverted]
    final = [slot for slot in unreverted if slot <= coverage]
    return Standing(max(final or unreverted, default=None), reverted, revisions)


def is_discarded(about: Iterable[Fact], fact: ChainFact, vault: str, projection: str) -> bool:
    """Whether an operator gave up on applying the fact to that vault in that projection."""
    assert isinstance(fact, Fact), fact
    key = key_text(key_of(fact))
    return any(
        isinstance(said, EventDiscarded) and (said.key, said.vault, said.projection) == (key, vault, projection)
        for said in about
    )


def turns(about: Sequence[StoredFact], fact: ChainFact) -> tuple[int, ...]:
    """Positions at which the fact began to stand, ceased to, began again, and so on; `about` rises in position.

    It stood at a position if an odd number of its turns are at or below that.
    """
    found: list[int] = []
    said: list[Fact] = []
    for stored in about:
        said.append(stored.fact)
        is_said = fact in said
        stands = is_said and standing(said).state_of(fact) == "standing"
        if stands != bool(len(found) % 2):
            found.append(stored.position)
    return tuple(found)
