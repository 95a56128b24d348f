"""What `vault-indexer status` says: how far the store is, and how far the chain."""

import time

from msgspec import Struct, json

from eventstore.errors import WrongChain
from eventstore.facts import CoverageAdvanced
from eventstore.port import IngestStore
from indexer.chain import Chain
from indexer.errors import IndexerError


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
    undecoded_events: int
    """What the IDL did not explain; it may be another version's than the program's."""
    head_slot: int | None
    """Finalised, of the node; null when it does not answer, or serves another chain than the store's."""
    lag_slots: int | None
    node_error: str | None


async def read_status(store: IngestStore, where: str, chain: Chain) -> Status:
    progress, covered, binding = store.progress(), store.last_coverage(), store.binding()
    head, node_error = None, None
    try:
        head = await chain.slot("finalized")
    except (IndexerError, WrongChain) as error:
        node_error = str(error)
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
        undecoded_events=store.undecoded(),
        head_slot=head,
        lag_slots=max(head - frontier, 0) if head is not None and frontier is not None else None,
        node_error=node_error,
    )


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
        ("undecoded", f"{status.undecoded_events} events"),
        ("chain's head", status.node_error or _slot(status.head_slot)),
        ("lag", "unknown" if status.lag_slots is None else f"{status.lag_slots} slots"),
    ]
    return "\n".join(f"{name:<17} {value}" for name, value in rows)


def _slot(slot: int | None) -> str:
    return "none yet" if slot is None else f"slot {slot}"
