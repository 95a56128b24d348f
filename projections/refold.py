"""Documents of contested signatures, made anew: from what stands at a position, whatever was thought before."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from eventstore.facts import ChainFact
from eventstore.port import FactReader, StoredFact
from eventstore.standing import Standing, State, is_discarded, standing, turns
from projections.projection import Fallen, Projection
from projections.store import Row

PAGE = 2_000


class Contest:
    """All that is said about one contested signature up to a position."""

    def __init__(self, about: Sequence[StoredFact]) -> None:
        self.about = about
        self.facts = [stored for stored in about if isinstance(stored.fact, ChainFact)]

    @cached_property
    def standing(self) -> Standing:
        return standing(stored.fact for stored in self.about)

    @property
    def is_open(self) -> bool:
        """More is said than one decode of one inclusion: it may be contested by what comes later only."""
        decodes = {(fact.slot, fact.revision) for fact in map(_chain_fact, self.facts)}
        return len(decodes) > 1 or len(self.facts) < len(self.about)

    def fallen(self, stored: StoredFact) -> Fallen:
        fact = _chain_fact(stored)
        return Fallen(self.state_of(stored), turns(self.about, fact))

    def state_of(self, stored: StoredFact) -> State:
        return self.standing.state_of(_chain_fact(stored))

    def applies(self, projection: Projection, stored: StoredFact, id_: str) -> bool:
        """Whether a document includes a fact."""
        return self.state_of(stored) == "standing" and not self.is_discarded(projection, stored, id_)

    def is_discarded(self, projection: Projection, stored: StoredFact, id_: str) -> bool:
        if projection.vault_of is None or len(self.about) == len(self.facts):
            return False
        said = (one.fact for one in self.about)
        return is_discarded(said, _chain_fact(stored), projection.vault_of(id_), projection.name)


def contests_between(facts: FactReader, after: int, through: int, as_of: int) -> list[Contest]:
    """Those to which something was added at positions above `after`, up to `through`; as they are at `as_of`."""
    found = (_read(facts, signature, as_of) for signature in facts.contested_between(after, through))
    return [contest for contest in found if contest.is_open]


def refold(
    projection: Projection,
    facts: FactReader,
    contests: Sequence[Contest],
    through: int,
    left_out: Collection[str],
) -> list[Row]:
    """Rows, at position `through`, of every document that a fact of the contests touches; none of vaults `left_out`."""
    if not contests or projection.vault_of is None:
        return []
    if projection.judge is not None:
        rows = [row for contest in contests for stored in contest.facts for row in judged(projection, contest, stored)]
        return [row._replace(position=through) for row in rows if projection.vault_of(row.id) not in left_out]
    of_vaults: dict[str, set[str]] = {}
    for contest in contests:
        for stored in contest.facts:
            for id_ in projection.touches(stored.fact):
                of_vaults.setdefault(projection.vault_of(id_), set()).add(id_)
    return [
        row
        for vault, ids in of_vaults.items()
        if vault not in left_out
        for row in whole_vault(projection, facts, vault, through, ids)
    ]


def judged(projection: Projection, contest: Contest, stored: StoredFact) -> list[Row]:
    """Documents of one fact, at its own position."""
    assert projection.judge is not None
    fallen = contest.fallen(stored)
    rows = []
    for id_ in projection.touches(stored.fact):
        if contest.is_discarded(projection, stored, id_):
            rows.append(Row(id_, stored.position, None))
        else:
            document = projection.judge(projection.evolved(None, id_, stored), fallen)
            rows.append(Row(id_, stored.position, document))
    return rows


def whole_vault(
    projection: Projection, facts: FactReader, vault: str, through: int, ids: Collection[str] | None = None
) -> list[Row]:
    """Documents of a vault from its history up to a position: those with the `ids`, or all."""
    assert projection.vault_of is not None
    contests = {
        signature: _read(facts, signature, through)
        for signature in facts.contested_of_vault(vault, through_position=through)
    }
    documents: dict[str, object] = {}
    after = None
    while page := facts.read_vault(vault, through_position=through, after=after, limit=PAGE):
        for stored in page:
            contest = contests.get(_chain_fact(stored).signature)
            for id_ in projection.touches(stored.fact):
                if projection.vault_of(id_) == vault and (ids is None or id_ in ids):
                    documents[id_] = _told(projection, contest, documents.get(id_), id_, stored)
        after = page[-1]
    return [Row(id_, through, document) for id_, document in documents.items()]


def _told(projection: Projection, contest: Contest | None, document: object, id_: str, stored: StoredFact) -> Any:
    """The document with the fact, if that is in it."""
    if contest is None:
        return projection.evolved(document, id_, stored)
    if projection.judge is None:
        applies = contest.applies(projection, stored, id_)
        return projection.evolved(document, id_, stored) if applies else document
    if contest.is_discarded(projection, stored, id_):
        return document
    fallen = contest.fallen(stored)
    return projection.judge(projection.evolved(document, id_, stored), fallen)


def _read(facts: FactReader, signature: str, through: int) -> Contest:
    return Contest(facts.read_contested(signature, through_position=through))


def _chain_fact(stored: StoredFact) -> ChainFact:
    assert isinstance(stored.fact, ChainFact), stored
    return stored.fact
