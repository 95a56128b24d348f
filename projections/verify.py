"""The proof before a flip: what the facts say, by other ways and other code, against the documents of a generation.

Deliberately another way than `evolve`: the vault's index instead of the log, whole histories instead of steps.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from msgspec import structs

from eventstore.port import FactReader
from projections.errors import VerificationFailed
from projections.expected import OF_VAULT, Fields
from projections.expected_of_log import OF_LOG
from projections.projection import Projection
from projections.store import Generation, Row
from projections.told import counts_of_log, standing_log, told_history

SLICES = 64
"""Vaults are compared slice by slice; a difference names its slice."""
DOCUMENTS_AT_ONCE = 500
LOOKS_AGAIN = 5


class Expected(NamedTuple):
    """What the facts make of one document."""

    of: str
    id: str
    fields: Fields


class Verified(NamedTuple):
    compared: int
    """Documents."""
    moved: int
    """Documents that were not: they changed meanwhile, every time that they were looked at."""


async def verify(
    projection: Projection,
    facts: FactReader,
    generation: Generation,
    position: int,
    done: Callable[[int, int], None],
) -> int:
    """Returns how many documents were compared; `done(slices, of)` is told as it goes.

    The generation must stand still at `position`. Raises VerificationFailed with the first difference, and
    VaultIndexDiffers or ContestedIndexDiffers where an index of the event store is not what the log says.
    """
    compared, _ = await _pass(projection, facts, generation, position, done, None, still=True)
    stored = await generation.count()
    if stored != compared:
        raise VerificationFailed(projection.name, f"there are {stored} documents, the facts make {compared}")
    return compared


async def verify_moving(
    projection: Projection, facts: FactReader, generation: Generation, done: Callable[[int, int], None]
) -> Verified:
    """As `verify`, while a projector writes: what changed meanwhile is looked at again, some times.

    Vaults that are parked are left out: they wait, and say so. Documents that no fact makes are not noticed.
    """
    position = (await generation.checkpoint()).position
    compared, moved = await _pass(projection, facts, generation, position, done, None)
    for _ in range(LOOKS_AGAIN):
        if not moved:
            break
        position = (await generation.checkpoint()).position
        again, moved = await _pass(projection, facts, generation, position, done, moved)
        compared += again
    return Verified(compared, len(moved))


async def _pass(
    projection: Projection,
    facts: FactReader,
    generation: Generation,
    position: int,
    done: Callable[[int, int], None],
    only: set[str] | None,
    *,
    still: bool = False,
) -> tuple[int, set[str]]:
    """Compares documents, if given only those ids: how many, and the ids of those that are beyond `position`."""
    waiting = {f"vault {one.vault}" for one in (await generation.checkpoint()).parked}
    slices = _slices(projection, facts, position)
    compared, moved = 0, set[str]()
    for number, expected in enumerate(slices):
        wanted = (one for one in expected if one.of not in waiting and (only is None or one.id in only))
        while some := list(islice(wanted, DOCUMENTS_AT_ONCE)):
            where = f"slice {number} of {len(slices)}"
            beyond = await _compare(projection, generation, some, None if still else position, where)
            compared += len(some) - len(beyond)
            moved |= beyond
        done(number + 1, len(slices))
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip
    return compared, moved


def _slices(projection: Projection, facts: FactReader, position: int) -> list[Iterator[Expected]]:
    """By vault, or one for all where documents are no vault's."""
    of_log = OF_LOG.get(projection.name)
    if of_log is not None:
        return [(Expected("all vaults", id_, fields) for id_, fields in of_log(standing_log(facts, position)))]
    counts = counts_of_log(projection, facts, position)
    return [_of_vaults(projection, facts, counts, vaults, position) for vaults in _sliced(counts)]


async def _compare(
    projection: Projection, generation: Generation, expected: Sequence[Expected], position: int | None, where: str
) -> set[str]:
    """Ids of documents beyond a position, which are not compared."""
    rows = await generation.get([one.id for one in expected])
    beyond = {id_ for id_, row in rows.items() if position is not None and row.position > position}
    for one in expected:
        difference = None if one.id in beyond else _difference(rows.get(one.id), one)
        if difference is not None:
            raise VerificationFailed(projection.name, f"{where}, {one.of}: {difference}")
    return beyond


def _difference(row: Row | None, expected: Expected) -> str | None:
    if row is None or row.document is None:
        return f"document {expected.id} is missing"
    found = structs.asdict(row.document)
    for name, said in expected.fields.items():
        if found[name] != said:
            return f"{name} of {expected.id} is {found[name]!r}, the facts say {said!r}"
    return None


def _sliced(vaults: Counter[str]) -> list[list[str]]:
    slices: list[list[str]] = [[] for _ in range(SLICES)]
    for vault in sorted(vaults):
        slices[crc32(vault.encode()) % SLICES].append(vault)
    return slices


def _of_vaults(
    projection: Projection, facts: FactReader, counts: Counter[str], vaults: Sequence[str], position: int
) -> Iterator[Expected]:
    """`counts` is how many facts the log has of each vault."""
    for vault in vaults:
        history = told_history(projection, facts, vault, counts[vault], position)
        for id_, fields in OF_VAULT[projection.name](vault, history):
            yield Expected(f"vault {vault}", id_, fields)
