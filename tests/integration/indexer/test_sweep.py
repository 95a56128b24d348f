"""The sweep finds every signature, whatever the node forgets, and claims nothing it has not seen."""

from typing import Any

import pytest

from eventstore.facts import AuthorityInitialized
from eventstore.port import Evidence, Inclusion, IngestStore, Walk
from indexer.errors import BeginningUnproven, ChainUnavailable
from indexer.sweep import PATIENCE_TRIES, Sweep

PROGRAM = "CVxtopwzPR1UqUTjThq2UqFvfYFxmDsCHpgD6FjcjyGk"
INITIALIZED = AuthorityInitialized(
    signature="s10",
    slot=10,
    transaction_index=0,
    ordinal=0,
    revision=0,
    block_time=1_010,
    timestamp=1_010,
    authority="authority",
    admin="admin",
    collateral_mint="mint",
    decimals=6,
)


@pytest.fixture
def sweep(chain: Any, store: IngestStore, epoch: int) -> Sweep:
    return Sweep(chain, store, epoch, PROGRAM)


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


async def test_an_empty_history_is_believed_as_long_as_the_programs_authority_does_not_exist(
    sweep: Sweep, chain: Any, store: IngestStore
) -> None:
    chain.authority_exists = True
    for _ in range(3):
        await sweep.look()
    (walk,) = store.progress().walks
    with pytest.raises(BeginningUnproven, match="no AuthorityInitialized was found"):
        await sweep.step(walk)
    assert store.progress().frontier == -1
    chain.authority_exists = False
    assert await sweep.step(walk) is None
    assert store.progress().frontier == 100


async def test_a_node_that_lags_proves_nothing_about_the_authority(
    sweep: Sweep, chain: Any, store: IngestStore
) -> None:
    walk = await sweep.look()
    assert walk is not None
    chain.finalized = 99
    with pytest.raises(ChainUnavailable, match="slot 99 is below 100"):
        await sweep.step(walk)
    assert store.progress().frontier == -1


async def test_a_pruned_history_is_never_taken_for_the_whole_of_it(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 40)]
    chain.pruned_below, chain.authority_exists = 30, True
    walk = await sweep.look()
    with pytest.raises(BeginningUnproven, match="not all stored yet"):
        await walk_through(sweep, walk)
    settle(store, epoch)
    (walk,) = store.progress().walks
    with pytest.raises(BeginningUnproven, match="a node with the program's whole history"):
        await walk_through(sweep, walk)
    assert store.progress().discovered_through == -1
    chain.pruned_below = 0
    with pytest.raises(BeginningUnproven):
        await walk_through(sweep, walk)
    settle(store, epoch)
    (walk,) = store.progress().walks
    await walk_through(sweep, walk)
    assert store.progress().discovered_through == 100


def settle(store: IngestStore, epoch: int) -> None:
    """As if all that is owed had been fetched; in slot 10 the authority was initialised."""
    owed = store.owed(1_000)
    evidence = [Evidence(o.signature, o.slot, 0, o.block_time, b"{}", "node", is_final=True) for o in owed]
    settles = [Inclusion(o.signature, o.slot) for o in owed]
    facts = [INITIALIZED] if any(o.slot == INITIALIZED.slot for o in owed) else []
    store.append(facts, evidence, no_longer_owed=settles, epoch=epoch)


@pytest.mark.parametrize("in_slot", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("changes", [2, 3, 5])
async def test_endpoints_that_order_a_slot_differently_hide_nothing_whenever_one_takes_over(
    sweep: Sweep, chain: Any, store: IngestStore, in_slot: int, changes: int
) -> None:
    """Pages are of three: slots end within pages, at their ends, and are longer than they are."""
    chain.history = [(slot, f"s{slot}-{n}") for slot in range(10, 20) for n in range(in_slot)]
    walk, pages = await sweep.look(), 0
    while walk is not None:
        pages += 1
        assert pages < 200
        if pages % changes == 0:
            chain.answering = 1 - chain.answering
        walk = await sweep.step(walk)
    assert {(o.slot, o.signature) for o in store.owed(1_000)} == set(chain.history)
    assert store.progress().discovered_through == 100


async def test_a_slot_of_several_pages_begins_again_when_its_endpoint_goes_down(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.history = [(slot, f"s{slot}-{n}") for slot in (10, 11) for n in range(8)]
    walk = await sweep.look()
    assert walk is not None
    walk = await sweep.step(walk)
    assert walk is not None
    chain.down, chain.answering = {0}, 1
    with pytest.raises(ChainUnavailable):
        await sweep.step(walk)
    await walk_through(sweep, walk)
    assert {(o.slot, o.signature) for o in store.owed(1_000)} == set(chain.history)


async def test_a_process_that_ends_within_a_slot_leaves_nothing_out(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.history = [(slot, f"s{slot}-{n}") for slot in (10, 11) for n in range(8)]
    walk = await sweep.look()
    for _ in range(4):
        assert walk is not None
        walk = await sweep.step(walk)
    chain.answering = 1
    (walk,) = store.progress().walks
    await walk_through(Sweep(chain, store, epoch, PROGRAM), walk)
    assert {(o.slot, o.signature) for o in store.owed(1_000)} == set(chain.history)


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
    assert chain.calls == [("tip",)]
    assert store.progress().discovered_through == 200


async def test_an_interrupted_walk_goes_on_from_its_cursor_in_the_next_process(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 40)]
    await sweep.look()
    assert store.progress().discovered_through == -1
    again = Sweep(chain, store, epoch, PROGRAM)
    chain.finalized = 200
    chain.history.append((150, "s150"))
    await walk_through(again)
    assert store.progress().discovered_through == -1, "the older walk is not done"
    chain.calls.clear()
    (left,) = store.progress().walks
    await walk_through(again, left)
    assert chain.calls[0] == ("older", "s38"), "slot 37 may go on behind the page"
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


async def test_a_walk_whose_cursor_no_node_knows_any_more_starts_again_from_the_tip(
    sweep: Sweep, chain: Any, store: IngestStore
) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 40)]
    walk = await sweep.look()
    assert walk is not None
    chain.hides = {"s38"}
    chain.finalized = 99
    with pytest.raises(ChainUnavailable, match="down"):
        await sweep.step(walk)
    assert store.progress().discovered_through == -1
    chain.finalized = 100
    await walk_through(sweep, walk)
    assert owed_slots(store) == list(range(10, 40))
    assert store.progress().discovered_through == 100


async def test_a_cursor_that_only_an_endpoint_that_is_down_may_know_is_waited_for_a_while(
    sweep: Sweep, chain: Any, store: IngestStore
) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 40)]
    walk = await sweep.look()
    assert walk is not None
    chain.hides, chain.unasked = {"s38"}, ["the other one is down"]
    with pytest.raises(ChainUnavailable, match="no endpoint knows signature s38 any more; the other one is down"):
        await sweep.step(walk)
    chain.hides = set()
    chain.calls.clear()
    await walk_through(sweep, walk)
    assert ("tip",) not in chain.calls, "it went on where it was"
    assert store.progress().discovered_through == 100


async def test_a_cursor_that_nobody_knows_is_not_waited_for_until_an_endpoint_that_is_gone_comes_back(
    sweep: Sweep, chain: Any, store: IngestStore
) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 40)]
    walk = await sweep.look()
    assert walk is not None
    chain.hides, chain.unasked = {"s38"}, ["the other one is down"]
    for _ in range(PATIENCE_TRIES - 1):
        with pytest.raises(ChainUnavailable):
            await sweep.step(walk)
    await walk_through(sweep, walk)
    assert owed_slots(store) == list(range(10, 40))
    assert store.progress().discovered_through == 100


async def test_an_operator_can_accept_that_the_nodes_have_no_older_history(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.history = [(slot, f"s{slot}") for slot in range(10, 40)]
    chain.pruned_below, chain.authority_exists = 30, True
    walk = await sweep.look()
    with pytest.raises(BeginningUnproven):
        await walk_through(sweep, walk)
    settle(store, epoch)
    (walk,) = store.progress().walks
    with pytest.raises(BeginningUnproven) as unproven:
        await walk_through(sweep, walk)
    gap = sweep.gap_of(walk, unproven.value)
    assert (gap.from_slot, gap.through_slot, gap.signature) == (0, 29, None)
    store.find_gaps(epoch, [gap])
    store.accept_gap(gap, operator="mara", reason="nobody has it")
    (walk,) = store.progress().walks
    chain.pruned_below = 35
    with pytest.raises(BeginningUnproven, match="not listed"):
        await walk_through(sweep, walk)
    chain.pruned_below = 30
    (walk,) = store.progress().walks
    await walk_through(sweep, walk)
    progress = store.progress()
    assert (progress.discovered_through, progress.complete_through) == (100, 100)


async def test_a_gap_is_closed_when_a_node_with_all_of_history_is_found(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.authority_exists = True
    walk = await sweep.look()
    assert walk is not None
    with pytest.raises(BeginningUnproven) as unproven:
        await sweep.step(walk)
    store.find_gaps(epoch, [sweep.gap_of(walk, unproven.value)])
    assert store.progress().complete_through == -1
    chain.authority_exists = False
    assert await sweep.step(walk) is None
    assert (store.gaps(), store.progress().complete_through) == ([], 100)


async def test_a_history_that_lacks_what_is_stored_is_a_hole_and_not_the_end(
    sweep: Sweep, chain: Any, store: IngestStore, epoch: int
) -> None:
    chain.history = [(10, "s10")]
    await walk_through(sweep)
    settle(store, epoch)
    chain.finalized, chain.history = 200, []
    walk = await sweep.look()
    assert walk is not None
    with pytest.raises(BeginningUnproven, match="s10"):
        await sweep.step(walk)
    assert store.progress().discovered_through == 100
