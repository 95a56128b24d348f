"""What a verification reads: the log, and the vaults' histories by their index, each checked against the other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from eventstore.facts import ChainFact, InclusionFact
from eventstore.identity import vaults_of
from eventstore.port import FactReader, StoredFact
from eventstore.standing import State, is_discarded, standing
from projections.errors import ContestedIndexDiffers, VaultIndexDiffers
from projections.projection import Projection

PAGE = 5_000


class Told(NamedTuple):
    stored: StoredFact
    state: State | Literal["discarded"]


History = list[Told]
"""Of one vault, in chain order."""


def counts_of_log(projection: Projection, facts: FactReader, position: int) -> Counter[str]:
    """How many facts the log has of each vault, up to a position.

    Raises ContestedIndexDiffers where the index of contested signatures lacks what the log says of an inclusion.
    """
    counts: Counter[str] = Counter()
    of_inclusions: list[StoredFact] = []
    for stored in log(facts, position):
        counts.update(vaults_of(stored.fact))
        if isinstance(stored.fact, InclusionFact):
            of_inclusions.append(stored)
    for stored in of_inclusions:
        assert isinstance(stored.fact, InclusionFact)
        if stored not in facts.read_contested(stored.fact.signature, through_position=position):
            raise ContestedIndexDiffers(projection.name, stored.fact.signature, stored.position)
    return counts


def told_history(projection: Projection, facts: FactReader, vault: str, count: int, position: int) -> History:
    """Of a vault of which the log has `count` facts: what became of each, by the one rule that says what stands.

    Raises VaultIndexDiffers and ContestedIndexDiffers.
    """
    history = list(islice(_history(facts, vault, position), count + 1))
    if len(history) > count:
        raise VaultIndexDiffers(projection.name, vault, "names a fact twice")
    if len(history) < count:
        lacking = _first_lacking(facts, vault, history, position)
        raise VaultIndexDiffers(projection.name, vault, f"lacks the fact at position {lacking}")
    contested = {
        signature: facts.read_contested(signature, through_position=position)
        for signature in facts.contested_of_vault(vault, through_position=position)
    }
    return list(_told(projection, vault, history, contested))


def _told(
    projection: Projection, vault: str, history: Sequence[StoredFact], contested: dict[str, list[StoredFact]]
) -> Iterator[Told]:
    decodes: dict[str, set[tuple[int, int]]] = {}
    for stored in history:
        fact = chain_fact(stored)
        decodes.setdefault(fact.signature, set()).add((fact.slot, fact.revision))
    for stored in history:
        fact = chain_fact(stored)
        about = contested.get(fact.signature, [])
        if is_discarded((one.fact for one in about), fact, vault, projection.name):
            yield Told(stored, "discarded")
        elif stored in about:
            yield Told(stored, standing(one.fact for one in about).state_of(fact))
        elif about or len(decodes[fact.signature]) > 1:
            raise ContestedIndexDiffers(projection.name, fact.signature, stored.position)
        else:
            yield Told(stored, "standing")


def standing_log(facts: FactReader, position: int) -> Iterator[StoredFact]:
    """All facts up to there, as they arrived, but for those that do not stand there."""
    fallen: set[int] = set()
    for signature in facts.contested_between(0, position):
        about = facts.read_contested(signature, through_position=position)
        stands = standing(one.fact for one in about)
        said = [one for one in about if isinstance(one.fact, ChainFact)]
        fallen.update(one.position for one in said if stands.state_of(chain_fact(one)) != "standing")
    return (stored for stored in log(facts, position) if stored.position not in fallen)


def log(facts: FactReader, position: int) -> Iterator[StoredFact]:
    """All facts up to there, as they arrived."""
    after = 0
    while batch := [s for s in facts.read_after(after, PAGE) if s.position <= position]:
        yield from batch
        after = batch[-1].position


def chain_fact(stored: StoredFact) -> ChainFact:
    assert isinstance(stored.fact, ChainFact), stored
    return stored.fact


def _history(facts: FactReader, vault: str, position: int) -> Iterator[StoredFact]:
    """A vault's facts up to there, in chain order."""
    after = None
    while True:
        page = facts.read_vault(vault, through_position=position, after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]


def _first_lacking(facts: FactReader, vault: str, history: Sequence[StoredFact], position: int) -> int:
    """The lowest position of a fact of the vault that its history lacks."""
    known = {stored.position for stored in history}
    return next(s.position for s in log(facts, position) if vault in vaults_of(s.fact) and s.position not in known)
