"""What `vault-indexer status` says: how far the store is, and how far the chain."""

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct, json

from eventstore.errors import WrongChain
from eventstore.facts import CoverageAdvanced
from eventstore.port import IngestStore
from indexer.chain import Chain
from indexer.errors import IndexerError


class EndpointStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    endpoint: str
    head_slot: int | None
    """Finalised; null where it cannot be used."""
    error: str | None


class Status(Struct, frozen=True, kw_only=True, rename="camel"):
    """Slots are null where nothing is known yet; seconds are of chain time against this machine's clock."""

    store: str
    program_id: str | None
    genesis_hash: str | None
    position: int
    frontier_slot: int | None
    complete_through_slot: int | None
    coverage_age_s: float | None
    owed: int
    unfinished_walks: int
    unsettled: int
    """Inclusions of which it is not known yet whether they are final."""
    gaps_open: int
    gaps_accepted: int
    undecoded_events: int
    """What the IDL did not explain; it may be another version's than the program's."""
    head_slot: int | None
    """Finalised, the highest of all endpoints; null when none answers, or none serves the store's chain."""
    lag_slots: int | None
    node_error: str | None
    """Null if one of the endpoints can be used."""
    endpoints: list[EndpointStatus]


async def read_status(store: IngestStore, where: str, chains: Sequence[tuple[str, Chain]]) -> Status:
    """`chains` with the name of the endpoint that tells each."""
    progress, covered, binding, gaps = store.progress(), store.last_coverage(), store.binding(), store.gaps()
    endpoints = await asyncio.gather(*(_ask(name, chain) for name, chain in chains))
    head = max((e.head_slot for e in endpoints if e.head_slot is not None), default=None)
    node_error = None if head is not None else "; ".join(e.error for e in endpoints if e.error)
    frontier = progress.frontier if progress.discovered_through >= 0 else None
    return Status(
        store=where,
        program_id=binding.program_id if binding else None,
        genesis_hash=binding.genesis_hash if binding else None,
        position=store.last_position(),
        frontier_slot=frontier,
        complete_through_slot=progress.coverage if progress.coverage >= 0 else None,
        coverage_age_s=_age_s(covered.fact) if covered and isinstance(covered.fact, CoverageAdvanced) else None,
        owed=progress.owed,
        unfinished_walks=len(progress.walks),
        unsettled=progress.unsettled,
        gaps_open=sum(not gap.is_accepted for gap in gaps),
        gaps_accepted=sum(gap.is_accepted for gap in gaps),
        undecoded_events=store.undecoded(),
        head_slot=head,
        lag_slots=max(head - frontier, 0) if head is not None and frontier is not None else None,
        node_error=node_error,
        endpoints=endpoints,
    )


async def _ask(name: str, chain: Chain) -> EndpointStatus:
    try:
        return EndpointStatus(endpoint=name, head_slot=await chain.slot("finalized"), error=None)
    except (IndexerError, WrongChain) as error:
        return EndpointStatus(endpoint=name, head_slot=None, error=str(error))


def _age_s(covered: CoverageAdvanced) -> float | None:
    return round(time.time() - covered.block_time, 1) if covered.block_time is not None else None


def as_json(status: Status) -> str:
    return json.encode(status).decode()


def as_text(status: Status) -> str:
    rows = [
        ("store", status.store),
        ("program", status.program_id or "not bound yet"),
        ("position", status.position),
        ("frontier", _slot(status.frontier_slot)),
        ("complete through", _slot(status.complete_through_slot)),
        ("coverage age", "unknown" if status.coverage_age_s is None else f"{status.coverage_age_s} s"),
        ("owed", f"{status.owed} signatures, {status.unfinished_walks} unfinished walks"),
        ("unsettled", f"{status.unsettled} transactions"),
        ("gaps", f"{status.gaps_open} open, {status.gaps_accepted} accepted"),
        ("undecoded", f"{status.undecoded_events} events"),
        ("chain's head", status.node_error or _slot(status.head_slot)),
        ("lag", "unknown" if status.lag_slots is None else f"{status.lag_slots} slots"),
    ]
    if len(status.endpoints) > 1:
        rows += [("endpoint", f"{e.endpoint}  {e.error or _slot(e.head_slot)}") for e in status.endpoints]
    return "\n".join(f"{name:<17} {value}" for name, value in rows)


def _slot(slot: int | None) -> str:
    return "none yet" if slot is None else f"slot {slot}"
