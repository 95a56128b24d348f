"""A batch of facts into a generation: read what they touch, evolve it, write it with the checkpoint."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import structs

from eventstore.errors import FactCorrupt, FactUnreadable
from eventstore.facts import ChainFact, CoverageAdvanced
from eventstore.identity import FactKey, key_of
from eventstore.port import StoredFact
from projections.projection import Projection
from projections.store import Checkpoint, Generation, Row


async def apply_batch(
    generation: Generation, projection: Projection, batch: Sequence[StoredFact], held: Checkpoint
) -> Checkpoint:
    """Returns the new checkpoint. A fact that a document already includes changes nothing, so a batch may be repeated.

    Raises CheckpointMoved if the checkpoint is no longer `held`, and FactUnreadable for facts that are out of order:
    to follow them would be to go round in circles.
    """
    for before, position in pairwise((held.position, *(stored.position for stored in batch))):
        if position <= before:
            raise FactUnreadable("the event store", position, str(FactCorrupt(f"it comes after position {before}")))
    touched: dict[str, list[StoredFact]] = {}
    for stored in batch:
        for id_ in projection.touches(stored.fact):
            touched.setdefault(id_, []).append(stored)
    known = await generation.get(list(touched)) if projection.accumulates else {}
    rows = [_evolved(projection, id_, known.get(id_), facts) for id_, facts in touched.items()]
    new = _advanced(held, batch)
    await generation.apply(rows, held, new)
    return new


def _evolved(projection: Projection, id_: str, row: Row | None, facts: Sequence[StoredFact]) -> Row:
    position, document = (row.position, row.document) if row else (0, None)
    for stored in facts:
        if stored.position > position:
            document = projection.evolve(document, id_, stored)
            position = stored.position
    return Row(id_, position, document)


def _advanced(held: Checkpoint, batch: Sequence[StoredFact]) -> Checkpoint:
    slots = [stored.fact.slot for stored in batch if isinstance(stored.fact, ChainFact)]
    coverages = [stored.fact.through_slot for stored in batch if isinstance(stored.fact, CoverageAdvanced)]
    if held.slot is not None:
        slots.append(held.slot)
    if held.complete_through_slot is not None:
        coverages.append(held.complete_through_slot)
    return structs.replace(
        held,
        position=batch[-1].position,
        key=key_text(key_of(batch[-1].fact)),
        slot=max(slots, default=None),
        complete_through_slot=max(coverages, default=None),
    )


def key_text(key: FactKey) -> str:
    return f"{key.originator_id.hex}:{key.originator_version}"
