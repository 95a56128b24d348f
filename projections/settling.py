"""Totals of minutes, each made of the one before, once coverage has passed its end."""

from collections.abc import AsyncIterator, Sequence

from projections.documents import MINUTE_S
from projections.projection import Projection
from projections.store import Checkpoint, Generation, Query, Row

PAGE = 2_000
"""Minutes that are read, and written, together: coverage may come for the first time after years."""


async def settle(
    generation: Generation, projection: Projection, rows: Sequence[Row], held: Checkpoint, new: Checkpoint
) -> list[Row]:
    """The rows, with what is settled by the coverage of `new`; a late one settles all minutes from its own on again.

    Where there is a lot, all but the last of it is written already. Ids are `minute:` and its beginning, but for
    documents that are of no minute.
    """
    end = new.complete_through_time
    if end is None:
        return list(rows)
    minutes = {int(row.id.split(":")[1]): row for row in rows if ":" in row.id}
    ended = {minute: row for minute, row in minutes.items() if minute + MINUTE_S <= end}
    start = min([*ended, _first_unsettled(held)])
    before = await _before(generation, start)
    done: list[Row] = []
    async for row in _minutes(generation, ended, start, end):
        if row.document is not None:
            before = _settled(projection, before, row.document)
            row = Row(row.id, new.position, before)
        done.append(row)
        if len(done) >= PAGE:
            await generation.apply(done, held, held)
            done = []
    return done + [row for row in rows if row not in ended.values()]


def _settled(projection: Projection, before: object, document: object) -> object:
    assert projection.settle is not None
    return projection.settle(before, document)


def _first_unsettled(held: Checkpoint) -> int:
    """All minutes before it are settled."""
    covered = held.complete_through_time
    return 0 if covered is None else covered // MINUTE_S * MINUTE_S


async def _before(generation: Generation, minute: int) -> object:
    """The last document of an earlier minute."""
    rows = await generation.find(Query({}, ("minute", "id"), (minute, ""), True, 1))
    return rows[0].document if rows and rows[0].document.minute >= 0 else None


async def _minutes(generation: Generation, changed: dict[int, Row], start: int, end: int) -> AsyncIterator[Row]:
    """Rows of the minutes that begin at `start` and have passed at `end`, as stored but for what is `changed`."""
    left = sorted(changed)
    after: tuple[int, str] = (start, "")
    while True:
        page = await generation.find(Query({}, ("minute", "id"), after, False, PAGE))
        passed = [row for row in page if row.document.minute + MINUTE_S <= end]
        for stored in passed:
            while left and left[0] < stored.document.minute:
                yield changed[left.pop(0)]
            if left and left[0] == stored.document.minute:
                yield changed[left.pop(0)]
            else:
                yield stored
        if len(passed) < PAGE:
            break
        after = (page[-1].document.minute, page[-1].id)
    for minute in left:
        yield changed[minute]
