"""The proof before a flip: what the facts say, by other ways and other code, against the documents of a generation.

Deliberately another way than `evolve`: for all that accumulates, the vault's index instead of the log, and whole
histories instead of steps. Log and index are each read once for all projections that are verified together.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec import structs

from eventstore.facts import ChainFact, InclusionFact
from eventstore.identity import vaults_of
from eventstore.port import FactReader
from projections.digest import Digest
from projections.errors import ContestedIndexDiffers, VaultIndexDiffers, VerificationFailed
from projections.expected import OF_VAULT, Fields
from projections.expected_of_log import OF_LOG, OfFacts
from projections.projection import Projection
from projections.store import Generation, Row
from projections.told import disputed_in, first_lacking, histories, log

SLICES = 64
"""Of the log, and of the index by vault, alike in size: a difference names its slice."""
DOCUMENTS_AT_ONCE = 500
LOOKS_AGAIN = 5

Done = Callable[[int, int], None]
"""(slices, of)"""


class Verifiable(NamedTuple):
    projection: Projection
    generation: Generation


class Proof(NamedTuple):
    compared: int
    """Documents."""
    digest: str


class Verified(NamedTuple):
    compared: int
    """Documents."""
    moved: int
    """Documents that were not: they changed meanwhile, every time that they were looked at."""


class Expected(NamedTuple):
    """What the facts make of one document."""

    where: str
    """The slice."""
    of: str
    """The vault; empty for a document that is no vault's."""
    id: str
    fields: Fields


async def verify_all(generations: Sequence[Verifiable], facts: FactReader, position: int, done: Done) -> list[Proof]:
    """Of each, in their order; `done(slices, of)` is told as it goes.

    The generations must stand still at `position`. Raises VerificationFailed with the first difference, and
    VaultIndexDiffers or ContestedIndexDiffers where an index of the event store is not what the log says.
    """
    comparisons = [await _comparison(one) for one in generations]
    await _compare_all(comparisons, facts, position, done)
    for one in comparisons:
        stored = await one.generation.count()
        if stored != one.compared:
            difference = f"there are {stored} documents, the facts make {one.compared}"
            raise VerificationFailed(one.projection.name, difference)
    return [Proof(one.compared, str(one.digest)) for one in comparisons]


async def verify(projection: Projection, facts: FactReader, generation: Generation, position: int, done: Done) -> Proof:
    """As `verify_all`, of one."""
    (proof,) = await verify_all([Verifiable(projection, generation)], facts, position, done)
    return proof


async def verify_moving(projection: Projection, facts: FactReader, generation: Generation, done: Done) -> Verified:
    """As `verify`, while a projector writes: what changed meanwhile is looked at again, some times.

    Vaults that are parked are left out: they wait, and say so. Documents that no fact makes are not noticed.
    """
    compared, only = 0, None
    for _ in range(1 + LOOKS_AGAIN):
        position = (await generation.checkpoint()).position
        comparison = await _comparison(Verifiable(projection, generation), position, only)
        await _compare_all([comparison], facts, position, done)
        compared, only = compared + comparison.compared, comparison.moved
        if not only:
            break
    return Verified(compared, len(only or ()))


class _Comparison:
    """Of one projection's documents with what the facts make of them, some at a time."""

    def __init__(
        self, one: Verifiable, waiting: frozenset[str], position: int | None = None, only: set[str] | None = None
    ) -> None:
        self.projection, self.generation = one
        self.compared = 0
        self.moved: set[str] = set()
        """Those beyond the position, which are not compared."""
        self.digest = Digest(self.projection)
        """Of what was compared."""
        self._waiting, self._position, self._only = waiting, position, only
        self._expected: list[Expected] = []

    async def add(self, where: str, documents: Iterable[OfFacts]) -> None:
        only, waiting = self._only, self._waiting
        self._expected += [
            Expected(where, *one) for one in documents if one[0] not in waiting and (only is None or one[1] in only)
        ]
        if len(self._expected) >= DOCUMENTS_AT_ONCE:
            await self.finish()

    async def finish(self) -> None:
        """Compares what was added."""
        expected, self._expected = self._expected, []
        for start in range(0, len(expected), DOCUMENTS_AT_ONCE):
            await self._compare(expected[start : start + DOCUMENTS_AT_ONCE])

    async def _compare(self, expected: Sequence[Expected]) -> None:
        rows = await self.generation.get([one.id for one in expected])
        for one in expected:
            row = rows.get(one.id)
            if row is not None and self._position is not None and row.position > self._position:
                self.moved.add(one.id)
                continue
            difference = _difference(row, one)
            if difference is not None:
                of = f"vault {one.of}" if one.of else "all vaults"
                raise _Differs(self.projection.name, one.of, f"{one.where}, {of}: {difference}")
            assert row is not None
            self.compared += 1
            self.digest.add(row.document)
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip


class _Differs(VerificationFailed):
    """With the vault, to see whether it is the index that is wrong."""

    def __init__(self, projection: str, vault: str, difference: str) -> None:
        self.vault = vault
        super().__init__(projection, difference)


async def _comparison(one: Verifiable, position: int | None = None, only: set[str] | None = None) -> _Comparison:
    parked = (await one.generation.checkpoint()).parked
    return _Comparison(one, frozenset(waiting.vault for waiting in parked), position, only)


async def _compare_all(comparisons: Sequence[_Comparison], facts: FactReader, position: int, done: Done) -> None:
    legs = await _compare_with_log(comparisons, facts, position, lambda slice_: done(slice_, 2 * SLICES))
    of_vaults = [one for one in comparisons if one.projection.vault_of is not None]
    try:
        if of_vaults:
            await _compare_vaults(of_vaults, facts, position, legs, lambda slice_: done(SLICES + slice_, 2 * SLICES))
    except _Differs as differs:
        lacking = first_lacking(facts, position, vault=differs.vault)
        if lacking is None:
            raise
        raise _lacks(differs.projection, *lacking) from differs


async def _compare_with_log(
    comparisons: Sequence[_Comparison], facts: FactReader, position: int, done: Callable[[int], None]
) -> int:
    """Returns how many places the index by vault must have.

    Raises ContestedIndexDiffers where the index of contested signatures lacks what the log says of an inclusion.
    """
    of_log = [(one, OF_LOG[one.projection.name](facts)) for one in comparisons if one.projection.name in OF_LOG]
    legs, where = 0, ""
    for page in log(facts, position):
        slice_ = SLICES * page[0].position // (position + 1) + 1
        where = f"slice {slice_} of {SLICES}"
        done(slice_)
        disputed = disputed_in(facts, page, position)
        for stored in page:
            fact = stored.fact
            legs += len(vaults_of(fact))
            if isinstance(fact, InclusionFact) and stored not in disputed.get(fact.signature, ()):
                raise ContestedIndexDiffers(comparisons[0].projection.name, fact.signature, stored.position)
            about = disputed.get(fact.signature) if disputed and isinstance(fact, ChainFact) else None
            for _, expected in of_log:
                expected.add(stored, about)
        for one, expected in of_log:
            await one.add(where, expected.ready())
        await asyncio.sleep(0)
    for one, expected in of_log:
        await one.add(where, expected.rest())
        await one.finish()
    done(SLICES)
    return legs


async def _compare_vaults(
    comparisons: Sequence[_Comparison], facts: FactReader, position: int, legs: int, done: Callable[[int], None]
) -> None:
    """`legs` is how many places the log says that the index by vault has."""
    names, seen = [one.projection.name for one in comparisons], 0
    for vault, of_projections in histories(facts, position, names):
        slice_ = SLICES * seen // max(legs, 1) + 1
        seen += len(of_projections[names[0]])
        if seen > legs:
            raise VaultIndexDiffers(names[0], vault, "names a fact that the log does not")
        for one in comparisons:
            name = one.projection.name
            if name in OF_VAULT:
                documents = OF_VAULT[name](vault, of_projections[name])
                await one.add(f"slice {slice_} of {SLICES}", ((vault, *document) for document in documents))
        done(slice_)
    for one in comparisons:
        await one.finish()
    if seen < legs:
        lacking = first_lacking(facts, position)
        assert lacking is not None, (seen, legs)
        raise _lacks(names[0], *lacking)
    done(SLICES)


def _lacks(projection: str, vault: str, position: int) -> VaultIndexDiffers:
    return VaultIndexDiffers(projection, vault, f"lacks the fact at position {position}")


def _difference(row: Row | None, expected: Expected) -> str | None:
    if row is None or row.document is None:
        return f"document {expected.id} is missing"
    if structs.replace(row.document, **expected.fields) == row.document:
        return None
    found = structs.asdict(row.document)
    name, said = next((name, said) for name, said in expected.fields.items() if found[name] != said)
    return f"{name} of {expected.id} is {found[name]!r}, the facts say {said!r}"
