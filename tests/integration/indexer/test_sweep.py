"""The sweep finds every signature, whatever the node forgets, and claims nothing it has not seen."""

from typing import Any

import pytest

from eventstore.port import Evidence, Inclusion, IngestStore, Walk
from indexer.errors import ChainUnavailable
from indexer.sweep import Sweep


@pytest.fixture
def sweep(chain: Any, store: IngestStore, epoch: int) -> Sweep:
    return Sweep(chain, store, epoch, "program")


async def walk_through(sweep: Sweep, walk: Walk | None = None) -> None:
    walk = await sweep.step(walk) if walk else await sweep.look()
    while walk is not None:
        walk = await sweep.step(walk)


def owed_slots(store: IngestStore) -> list[int]:
    return [o.slot for o in store.owed(1_000)]


async def test_the_first_walk_finds_all_of_history(sweep: Sweep, chain: Any, store: IngestStore) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 90, 7)]
    await walk_through(sweep)
    assert owed_slots(store) == list(range(10, 90, 7))
    assert store.progress().discovered_through == 100
    assert store.progress().frontier == 9


async def test_a_program_without_history_is_complete_through_the_finalised_head(
    sweep: Sweep, store: IngestStore
) -> None:
    await walk_through(sweep)
    assert store.progress().frontier == 100


async def test_signatures_above_the_finalised_head_are_found_but_not_claimed(
    sweep: Sweep, chain: Any, store: IngestStore
) -> None:
    chain.history = [(50, "s50"), (110, "s110")]
    await walk_through(sweep)
    assert owed_slots(store) == [50, 110]
    assert store.progress().discovered_through == 100
    chain.history.append((105, "late"))
    await walk_through(sweep)
    assert owed_slots(store) == [50, 105, 110], "a slot above the head may still grow"


async def test_a_walk_ends_where_the_one_before_began(sweep: Sweep, chain: Any, store: IngestStore) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 90)]
    await walk_through(sweep)
    chain.finalized = 200
    chain.history.append((150, "s150"))
    chain.calls.clear()
    await walk_through(sweep)
    assert len(chain.calls) == 1
    assert store.progress().discovered_through == 200


async def test_an_interrupted_walk_goes_on_from_its_cursor_in_the_next_process(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 40)]
    await sweep.look()
    assert store.progress().discovered_through == -1
    again = Sweep(chain, store, epoch, "program")
    chain.finalized = 200
    chain.history.append((150, "s150"))
    await walk_through(again)
    assert store.progress().discovered_through == -1, "the older walk is not done"
    chain.calls.clear()
    (left,) = store.progress().walks
    await walk_through(again, left)
    assert chain.calls[0] == ("older", "s37")
    assert owed_slots(store) == [*range(10, 40), 150]
    assert store.progress().discovered_through == 200


async def test_a_signature_that_shows_up_late_below_the_floor_is_taken_when_it_is_seen(
    sweep: Sweep, chain: Any, store: IngestStore
) -> None:
    chain.history = [(50, "s50")]
    await walk_through(sweep)
    chain.history.append((60, "late"))
    await walk_through(sweep)
    assert owed_slots(store) == [50, 60]


async def test_a_node_that_forgot_the_cursor_is_no_proof_of_the_end(
    sweep: Sweep, chain: Any, store: IngestStore
) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 40)]
    walk = await sweep.look()
    assert walk is not None
    chain.hides = {"s37"}
    with pytest.raises(ChainUnavailable):
        await sweep.step(walk)
    assert store.progress().discovered_through == -1
    chain.hides = set()
    await walk_through(sweep, walk)
    assert owed_slots(store) == list(range(10, 40))


async def test_a_history_that_lacks_what_is_stored_is_a_hole_and_not_the_end(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.history = [(20, "s20")]
    await walk_through(sweep)
    store.append([], [Evidence("s20", 20, 0, 0, b"{}", "node")], settles=[Inclusion("s20", 20)], epoch=epoch)
    chain.finalized, chain.history = 200, []
    with pytest.raises(ChainUnavailable, match="s20"):
        await walk_through(sweep)
    assert store.progress().discovered_through == 100
