"""How a rebuilt generation differs from the live one: told, and no reason not to flip."""

from collections.abc import AsyncIterator

from projections.projection import Projection, at_rest
from projections.store import Generation, Query, Row

PAGE = 1_000


async def differences(projection: Projection, rebuilt: Generation, live: Generation) -> AsyncIterator[str]:
    """One line for each document that differs, by id. What the live one changed after the rebuilt one is left out."""
    position = (await rebuilt.checkpoint()).position
    ours, theirs = _rows(rebuilt), _rows(live)
    mine, other = await anext(ours, None), await anext(theirs, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and mine.id < other.id):
            assert mine is not None
            yield f"{mine.id} is missing in the live generation"
            mine = await anext(ours, None)
        elif mine is None or other.id < mine.id:
            if other.position <= position:
                yield f"{other.id} is in the live generation only"
            other = await anext(theirs, None)
        else:
            difference = _difference(projection, mine, other)
            if difference is not None and other.position <= position:
                yield difference
            mine, other = await anext(ours, None), await anext(theirs, None)


def _difference(projection: Projection, mine: Row, other: Row) -> str | None:
    one, two = at_rest(projection, mine.document), at_rest(projection, other.document)
    for name in one:
        if name not in projection.not_in_digest and one[name] != two[name]:
            return f"{name} of {mine.id} is {two[name]!r} in the live generation, rebuilt it is {one[name]!r}"
    return None


async def _rows(generation: Generation) -> AsyncIterator[Row]:
    after: tuple[str, ...] | None = None
    while page := await generation.find(Query({}, ("id",), after, False, PAGE)):
        for row in page:
            yield row
        after = (page[-1].id,)
