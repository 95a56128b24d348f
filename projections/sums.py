"""Documents that are sums: what falls is taken back from them, and what stands again is added."""

from collections.abc import Sequence
from typing import NamedTuple

from eventstore.port import StoredFact
from projections.projection import Projection
from projections.refold import Contest
from projections.store import Generation, Row


class Turned(NamedTuple):
    """A fact of a contested signature."""

    stored: StoredFact
    turns: tuple[int, ...]

    def stood_at(self, position: int) -> bool:
        return sum(turn <= position for turn in self.turns) % 2 == 1


async def summed(
    generation: Generation,
    projection: Projection,
    batch: Sequence[StoredFact],
    contests: Sequence[Contest],
    after: int,
) -> list[Row]:
    """What a batch that begins after a position makes of the documents that it and the contests touch."""
    turned = [Turned(stored, contest.fallen(stored).turns) for contest in contests for stored in contest.facts]
    contested = {one.stored.position for one in turned}
    plain: dict[str, list[StoredFact]] = {}
    for stored in batch:
        if stored.position not in contested:
            for id_ in projection.touches(stored.fact):
                plain.setdefault(id_, []).append(stored)
    turning: dict[str, list[Turned]] = {}
    for one in turned:
        for id_ in projection.touches(one.stored.fact):
            turning.setdefault(id_, []).append(one)
    known = await generation.get([*plain, *(id_ for id_ in turning if id_ not in plain)])
    rows = []
    for id_ in dict.fromkeys([*plain, *turning]):
        row = known.get(id_) or Row(id_, 0, None)
        rows.append(_sum(projection, row, plain.get(id_, ()), turning.get(id_, ()), after, batch[-1].position))
    return rows


def _sum(
    projection: Projection,
    row: Row,
    plain: Sequence[StoredFact],
    turning: Sequence[Turned],
    after: int,
    through: int,
) -> Row:
    assert projection.without is not None
    position, document = row.position, row.document
    included_through = max(row.position, after)
    for stored in plain:
        if stored.position > position:
            document = projection.evolved(document, row.id, stored)
            position = stored.position
    if row.position >= through:
        return row
    for one in turning:
        did, does = one.stood_at(included_through), one.stood_at(through)
        if does and not did:
            document = projection.evolved(document, row.id, one.stored)
        elif did and not does:
            document = projection.without(document, one.stored)
    return Row(row.id, through if turning else position, document)
