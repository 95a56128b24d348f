"""History gone through once more: what the store lacks is queued, and nothing is claimed."""

from typing import Any

import pytest

from eventstore.port import IngestStore
from indexer.backfill import BackfillProgress, run_backfill
from indexer.errors import ChainUnavailable
from indexer.resweep import Resweep
from indexer.sweep import Sweep

PROGRAM = "CVxtopwzPR1UqUTjThq2UqFvfYFxmDsCHpgD6FjcjyGk"


@pytest.fixture
async def swept(chain: Any, store: IngestStore, epoch: int) -> IngestStore:
    """Lacks the signatures of slots 20 and 30, which the node did not list."""
    chain.history = [(slot, f"s{slot}") for slot in range(10, 60)]
    chain.hides = {"s20", "s30"}
    sweep = Sweep(chain, store, epoch, PROGRAM)
    rest = await sweep.look()
    while rest is not None:
        rest = await sweep.step(rest)
    chain.hides = set()
    return store


def slots(store: IngestStore) -> list[int]:
    return [owed.slot for owed in store.owed(1_000)]


async def run(chain: Any, store: IngestStore, from_slot: int = 0) -> Any:
    with BackfillProgress() as progress:
        return await run_backfill(chain, store, PROGRAM, from_slot=from_slot, progress=progress)


async def test_what_an_index_showed_too_late_is_queued(chain: Any, swept: IngestStore) -> None:
    done = await run(chain, swept)
    assert (done.queued, done.slot, done.head) == (2, 10, 59)
    assert slots(swept) == list(range(10, 60))
    assert swept.backfill() is None


async def test_it_goes_no_further_down_than_it_is_told(chain: Any, swept: IngestStore) -> None:
    assert (await run(chain, swept, from_slot=25)).queued == 1
    assert 20 not in slots(swept)


async def test_it_goes_on_where_it_was_interrupted(chain: Any, swept: IngestStore) -> None:
    older, calls = chain.older, 0

    async def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise ChainUnavailable("getSignaturesForAddress", ["down"])
        return await older(*arguments, **options)

    chain.older = failing
    with pytest.raises(ChainUnavailable):
        await run(chain, swept)
    kept = swept.backfill()
    assert kept is not None
    assert 10 < kept.slot < 59
    chain.calls.clear()
    done = await run(chain, swept)
    assert (done.queued, done.head) == (2, 59)
    assert ("tip",) not in chain.calls, "it did not begin anew"
    assert slots(swept) == list(range(10, 60))


async def test_another_end_is_another_search(chain: Any, swept: IngestStore) -> None:
    await run(chain, swept, from_slot=25)
    assert (await run(chain, swept, from_slot=0)).slot == 10


async def test_a_chain_without_history_is_gone_through_at_once(chain: Any, store: IngestStore) -> None:
    assert await run(chain, store) is None


async def test_a_resweep_stops_below_its_floor(chain: Any, swept: IngestStore) -> None:
    resweep = Resweep(chain, swept, PROGRAM, floor=40)
    while await resweep.step():
        pass
    assert resweep.slot is not None
    assert 35 < resweep.slot <= 40
    assert (resweep.queued, resweep.head_slot) == (0, 59)
