"""What `vault-projector status` says of each projection."""

import time

from msgspec import Struct, json

from eventstore.port import FactReader
from projections.chained import head_of
from projections.live import open_live
from projections.projection import Projection
from projections.store import ReadModelStore


class Status(Struct, frozen=True, kw_only=True, rename="camel"):
    projection: str
    generation: int | None
    """Live; null before the first start."""
    building: list[int]
    ready: list[int]
    """Proved, and not flipped to."""
    kept: list[int]
    position: int
    store_position: int
    lag_facts: int
    """Positions behind the event store."""
    lag_s: float | None
    """Age of the first fact that is not applied; 0 when there is none."""
    slot: int | None
    complete_through_slot: int | None
    heartbeat_age_s: float | None
    """Since a projector last said that it is alive; null if never."""
    paused: str | None
    """Why, if an operator wants it to apply nothing."""
    parked: int
    """Vaults that wait because one of their events could not be applied."""
    head: str | None
    """Of the hash chain, where the projection keeps it: `POSITION:HASH`, for `audit verify`."""


async def read_status(projection: Projection, facts: FactReader, store: ReadModelStore) -> Status:
    catalog, last = await store.catalog(), facts.last_position()
    entries, live = catalog.of(projection.name), catalog.live(projection.name)
    position, slot, covered, heartbeat_s, parked, head = 0, None, None, 0.0, 0, None
    if live is not None:
        generation = await open_live(store, projection, live.number)
        checkpoint, heartbeat_s = await generation.checkpoint(), await generation.heartbeat_s()
        await generation.close()
        position, slot, covered = checkpoint.position, checkpoint.slot, checkpoint.complete_through_slot
        parked = len(checkpoint.parked)
        head = str(head_of(checkpoint)) if checkpoint.chain_hash else None
    next_facts = facts.read_after(position, 1)
    return Status(
        projection=projection.name,
        generation=live.number if live else None,
        building=[e.number for e in entries if e.state == "building"],
        ready=[e.number for e in entries if e.state == "ready"],
        kept=[e.number for e in entries if e.state == "kept"],
        position=position,
        store_position=last,
        lag_facts=max(last - position, 0),
        lag_s=round(time.time() - next_facts[0].recorded_at_us / 1e6, 3) if next_facts else 0.0,
        slot=slot,
        complete_through_slot=covered,
        heartbeat_age_s=round(time.time() - heartbeat_s, 1) if heartbeat_s else None,
        paused=catalog.control(projection.name).paused,
        parked=parked,
        head=head,
    )


def as_json(statuses: list[Status]) -> str:
    return json.encode(statuses).decode()


def as_text(statuses: list[Status]) -> str:
    head = ("projection", "generation", "position", "lag", "complete through", "heartbeat", "")
    rows = [head, *(_row(status) for status in statuses)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _row(status: Status) -> tuple[str, ...]:
    building = f" (building {status.building[0]})" if status.building else ""
    return (
        status.projection,
        f"{status.generation or 'none'}{building}",
        f"{status.position} of {status.store_position}",
        f"{status.lag_facts} facts, {status.lag_s} s",
        "none yet" if status.complete_through_slot is None else f"slot {status.complete_through_slot}",
        "never" if status.heartbeat_age_s is None else f"{status.heartbeat_age_s} s ago",
        "; ".join(_remarks(status)),
    )


def _remarks(status: Status) -> list[str]:
    paused = [] if status.paused is None else [f"paused: {status.paused}"]
    parked = [f"{status.parked} vaults parked"] if status.parked else []
    return paused + parked + ([f"head {status.head}"] if status.head else [])
