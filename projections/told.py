"""What a verification reads: the log, and the vaults' histories by their index, each checked against the other."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from eventstore.facts import ChainFact
from eventstore.identity import vaults_of
from eventstore.port import FactOfVault, FactReader, StoredFact
from eventstore.standing import State, is_discarded, standing
from projections.errors import ContestedIndexDiffers, VaultIndexDiffers

PAGE = 5_000


class Told(NamedTuple):
    stored: StoredFact
    state: State | Literal["discarded"]


History = list[Told]
"""Of one vault, in chain order."""
Histories = dict[str, History]
"""The same of each projection, by its name: they differ in what was discarded only."""


def histories(facts: FactReader, position: int, projections: Sequence[str]) -> Iterator[tuple[str, Histories]]:
    """Of each vault, up to a position: what became of each fact, by the one rule that says what stands.

    Raises ContestedIndexDiffers, and VaultIndexDiffers for a fact that is named twice.
    """
    for vault, places in groupby(_by_vault(facts, position), lambda place: place.vault):
        yield vault, _histories(facts, position, projections, vault, list(places))


def _histories(
    facts: FactReader, position: int, projections: Sequence[str], vault: str, places: Sequence[FactOfVault]
) -> Histories:
    if len({place.stored.position for place in places}) < len(places):
        raise VaultIndexDiffers(projections[0], vault, "names a fact twice")
    decode_of: dict[str, tuple[int, int]] = {}
    disputed: set[str] = set()
    for place in places:
        fact = chain_fact(place.stored)
        decode = fact.slot, fact.revision
        if place.is_contested or decode_of.setdefault(fact.signature, decode) != decode:
            disputed.add(fact.signature)
    if not disputed:
        undisputed = [Told(place.stored, "standing") for place in places]
        return dict.fromkeys(projections, undisputed)
    about = {signature: facts.read_contested(signature, through_position=position) for signature in disputed}
    return {
        name: [told(name, vault, place.stored, about.get(chain_fact(place.stored).signature)) for place in places]
        for name in projections
    }


def told(projection: str, vault: str, stored: StoredFact, about: Sequence[StoredFact] | None) -> Told:
    """`about` is all that is said of the fact's signature, or nothing if that is not contested.

    Raises ContestedIndexDiffers.
    """
    if about is None:
        return Told(stored, "standing")
    fact = chain_fact(stored)
    if stored not in about:
        raise ContestedIndexDiffers(projection, fact.signature, stored.position)
    if is_discarded((one.fact for one in about), fact, vault, projection):
        return Told(stored, "discarded")
    return Told(stored, standing(one.fact for one in about).state_of(fact))


def _by_vault(facts: FactReader, position: int) -> Iterator[FactOfVault]:
    after = None
    while page := facts.read_by_vault(through_position=position, after=after, limit=PAGE):
        yield from page
        after = page[-1]


def log(facts: FactReader, position: int) -> Iterator[list[StoredFact]]:
    """Pages of all facts up to there, as they arrived."""
    after = 0
    while page := [s for s in facts.read_after(after, PAGE) if s.position <= position]:
        yield page
        after = page[-1].position


def disputed_in(facts: FactReader, page: Sequence[StoredFact], position: int) -> dict[str, list[StoredFact]]:
    """What is said, up to a position, of the contested signatures that a page of the log says something of."""
    contested = facts.contested_between(page[0].position - 1, page[-1].position)
    return {signature: facts.read_contested(signature, through_position=position) for signature in contested}


def chain_fact(stored: StoredFact) -> ChainFact:
    assert isinstance(stored.fact, ChainFact), stored
    return stored.fact


def first_lacking(facts: FactReader, position: int, *, vault: str | None = None) -> tuple[str, int] | None:
    """The first fact of the log that the index by vault lacks, with its vault; of one vault, if given.

    Slow, and takes memory: for when it is known that something is wrong.
    """
    known: dict[str, set[int]] = {}
    for place in _by_vault(facts, position):
        if vault is None or place.vault == vault:
            known.setdefault(place.vault, set()).add(place.stored.position)
    for page in log(facts, position):
        for stored in page:
            for one in vaults_of(stored.fact):
                if (vault is None or one == vault) and stored.position not in known.get(one, ()):
                    return one, stored.position
    return None
