"""A batch of facts into a generation: read what they touch, evolve it, write it with the checkpoint."""

import time
from collections.abc import Collection, Sequence
from itertools import pairwise

from msgspec import structs

from eventstore.errors import FactCorrupt, FactUnreadable
from eventstore.facts import ChainFact, CoverageAdvanced, EventDiscarded
from eventstore.identity import key_of, key_text
from eventstore.port import FactReader, StoredFact
from projections.chained import chained
from projections.errors import Unprojectable
from projections.projection import Projection
from projections.refold import Contest, contests_between, judged, refold, whole_vault
from projections.settling import settle
from projections.store import Checkpoint, Generation, Parked, Row
from projections.sums import summed

PARKED_MAX = 100
"""Vaults. Where more have events that cannot be applied, it is this version of the software that is wrong."""


async def apply_batch(
    generation: Generation,
    projection: Projection,
    facts: FactReader,
    batch: Sequence[StoredFact],
    held: Checkpoint,
    *,
    parks: bool = False,
) -> Checkpoint:
    """Returns the new checkpoint. A fact that a document already includes changes nothing, so a batch may be repeated.

    Documents of contested signatures are made anew from all that is known at the end of the batch. A fact that cannot
    be applied to a vault is parked, and what comes later for that vault waits with it, if it `parks`; else it raises
    Unprojectable. Raises CheckpointMoved if the checkpoint is no longer `held`, and FactUnreadable for facts that are
    out of order: to follow them would be to go round in circles.
    """
    for before, position in pairwise((held.position, *(stored.position for stored in batch))):
        if position <= before:
            raise FactUnreadable("the event store", position, str(FactCorrupt(f"it comes after position {before}")))
    parked = {one.vault: one for one in held.parked}
    retried = _discarded_of(projection, batch) & parked.keys()
    for vault in retried:
        del parked[vault]
    new = _advanced(held, batch)
    while True:
        try:
            rows = await _rows(generation, projection, facts, batch, held, parked, retried)
            break
        except Unprojectable as poison:
            if not parks or poison.vault is None or len(parked) >= PARKED_MAX:
                raise
            retried.discard(poison.vault)
            parked[poison.vault] = _parked(poison)
    new = structs.replace(new, parked=tuple(parked.values()))
    if projection.settle is not None:
        rows = await settle(generation, projection, rows, held, new)
    if projection.is_chained:
        rows, new = chained(facts, batch, rows, held, new)
    await generation.apply(rows, held, new)
    return new


async def retry_parked(
    generation: Generation, projection: Projection, facts: FactReader, held: Checkpoint, retry: int
) -> Checkpoint:
    """Tries each parked vault again, from its first fact to the checkpoint; `retry` numbers the operator's wish."""
    rows: list[Row] = []
    still: list[Parked] = []
    for one in held.parked:
        try:
            rows += whole_vault(projection, facts, one.vault, held.position)
        except Unprojectable as poison:
            still.append(_parked(poison))
    new = structs.replace(held, parked=tuple(still), retried=retry)
    await generation.apply(rows, held, new)
    return new


async def _rows(
    generation: Generation,
    projection: Projection,
    facts: FactReader,
    batch: Sequence[StoredFact],
    held: Checkpoint,
    parked: dict[str, Parked],
    retried: Collection[str],
) -> list[Row]:
    through, as_of = batch[-1].position, held.as_of
    contests = contests_between(facts, held.position, through, as_of or through) if projection.can_fall else []
    if as_of is not None:
        return await _loaded(generation, projection, batch, contests)
    if projection.without is not None:
        return await summed(generation, projection, batch, contests, held.position)
    waiting = {vault: one.position for vault, one in parked.items()} | dict.fromkeys(retried, 0)
    rows = await _evolved(generation, projection, batch, _touched_by(projection, contests), waiting)
    rows += refold(projection, facts, contests, through, waiting)
    for vault in retried:
        rows += whole_vault(projection, facts, vault, through)
    return rows


async def _loaded(
    generation: Generation, projection: Projection, batch: Sequence[StoredFact], contests: Sequence[Contest]
) -> list[Row]:
    """What a batch makes of its documents if what falls later is known already: no document is made twice."""
    contest_of = {stored.position: contest for contest in contests for stored in contest.facts}
    plain = [stored for stored in batch if stored.position not in contest_of]
    disputed = [(stored, contest_of[stored.position]) for stored in batch if stored.position in contest_of]
    if projection.judge is not None:
        rows = [row for stored, contest in disputed for row in judged(projection, contest, stored)]
        return rows + await _evolved(generation, projection, plain)
    touched: dict[str, list[StoredFact]] = {}
    for stored in batch:
        contest = contest_of.get(stored.position)
        for id_ in projection.touches(stored.fact):
            if contest is None or contest.applies(projection, stored, id_):
                touched.setdefault(id_, []).append(stored)
    return await _evolved_rows(generation, projection, touched)


async def _evolved(
    generation: Generation,
    projection: Projection,
    batch: Sequence[StoredFact],
    left_out: Collection[str] = (),
    waiting: dict[str, int] | None = None,
) -> list[Row]:
    """What a batch makes of documents, but for those `left_out`, and what waits: of a vault from a position on."""
    touched: dict[str, list[StoredFact]] = {}
    for stored in batch:
        for id_ in projection.touches(stored.fact):
            if id_ not in left_out and not (waiting and _waits(projection, waiting, id_, stored.position)):
                touched.setdefault(id_, []).append(stored)
    return await _evolved_rows(generation, projection, touched)


async def _evolved_rows(
    generation: Generation, projection: Projection, touched: dict[str, list[StoredFact]]
) -> list[Row]:
    known = await generation.get(list(touched)) if projection.accumulates else {}
    return [_evolved_row(projection, id_, known.get(id_), facts) for id_, facts in touched.items()]


def _evolved_row(projection: Projection, id_: str, row: Row | None, facts: Sequence[StoredFact]) -> Row:
    position, document = (row.position, row.document) if row else (0, None)
    for stored in facts:
        if stored.position > position:
            document = projection.evolved(document, id_, stored)
            position = stored.position
    return Row(id_, position, document)


def _waits(projection: Projection, waiting: dict[str, int], id_: str, position: int) -> bool:
    return projection.vault_of is not None and position >= waiting.get(projection.vault_of(id_), position + 1)


def _touched_by(projection: Projection, contests: Sequence[Contest]) -> set[str]:
    return {id_ for contest in contests for stored in contest.facts for id_ in projection.touches(stored.fact)}


def _discarded_of(projection: Projection, batch: Sequence[StoredFact]) -> set[str]:
    """Vaults of which an operator gave up an event."""
    discards = [fact for _, _, fact in batch if isinstance(fact, EventDiscarded)]
    return {discard.vault for discard in discards if discard.projection == projection.name}


def _parked(poison: Unprojectable) -> Parked:
    assert poison.vault is not None
    return Parked(
        vault=poison.vault, position=poison.position, key=poison.key, reason=poison.reason, since_s=time.time()
    )


def _advanced(held: Checkpoint, batch: Sequence[StoredFact]) -> Checkpoint:
    slots = [stored.fact.slot for stored in batch if isinstance(stored.fact, ChainFact)]
    coverages = [stored.fact for stored in batch if isinstance(stored.fact, CoverageAdvanced)]
    return structs.replace(
        held,
        position=batch[-1].position,
        key=key_text(key_of(batch[-1].fact)),
        slot=_highest(held.slot, *slots),
        complete_through_slot=_highest(held.complete_through_slot, *(c.through_slot for c in coverages)),
        as_of=held.as_of if held.as_of is not None and batch[-1].position < held.as_of else None,
        complete_through_time=_highest(held.complete_through_time, *(c.block_time for c in coverages)),
    )


def _highest(*numbers: int | None) -> int | None:
    return max((number for number in numbers if number is not None), default=None)
