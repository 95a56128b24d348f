"""The search for signatures: what is found is owed, and nothing counts as known before a walk has seen it all."""

from eventstore.port import Evidence, IngestStore, Owed, Walk
from tests.contract.eventstore.conftest import Opener


def owed(*slots: int) -> list[Owed]:
    return [Owed(f"signature-{slot}", slot, None) for slot in slots]


def test_the_first_walk_goes_from_the_tip_to_the_beginning_of_history(store: IngestStore) -> None:
    assert store.next_walk(10) == Walk(None, -1, 10, None)
    assert store.progress().discovered_through == -1, "asking for a walk writes nothing"


def test_a_walk_that_met_its_floor_makes_all_up_to_its_head_known(store: IngestStore, epoch: int) -> None:
    store.record_page(epoch, store.next_walk(10), owed(12, 7, 4), "signature-4", met_floor=True)
    progress = store.progress()
    assert (progress.discovered_through, progress.owed, progress.walks) == (10, 3, ())
    assert progress.frontier == 3, "below the lowest signature that is owed"
    assert store.next_walk(20) == Walk(None, 10, 20, None)


def test_an_unfinished_walk_is_kept_with_its_cursor_and_moves_nothing(
    store: IngestStore, epoch: int, open_store: Opener
) -> None:
    rest = store.record_page(epoch, store.next_walk(10), owed(9, 7), "signature-7", met_floor=False)
    rest = store.record_page(epoch, rest, owed(5), "signature-5", met_floor=False)
    assert rest[1:] == (-1, 10, "signature-5")
    after_a_crash = open_store().progress()
    assert after_a_crash.walks == (rest,)
    assert (after_a_crash.discovered_through, after_a_crash.frontier, after_a_crash.owed) == (-1, -1, 3)
    store.record_page(epoch, rest, owed(1), None, met_floor=True)
    assert (store.progress().discovered_through, store.progress().walks) == (10, ())


def test_a_walk_that_meets_an_unfinished_one_gives_it_its_range(store: IngestStore, epoch: int) -> None:
    lower = store.record_page(epoch, store.next_walk(10), owed(9), "signature-9", met_floor=False)
    upper = store.next_walk(20)
    assert upper.floor == 10
    store.record_page(epoch, upper, owed(15), "signature-15", met_floor=True)
    assert store.progress().discovered_through == -1, "what is below was not seen"
    assert [walk.head for walk in store.progress().walks] == [20]
    finished = store.record_page(epoch, lower, owed(2), "signature-2", met_floor=True)
    assert finished.head == 20
    assert store.progress().discovered_through == 20


def test_unfinished_walks_are_told_highest_first_and_finish_in_any_order(store: IngestStore, epoch: int) -> None:
    first = store.record_page(epoch, store.next_walk(10), owed(9), "signature-9", met_floor=False)
    second = store.record_page(epoch, store.next_walk(20), owed(19), "signature-19", met_floor=False)
    third = store.record_page(epoch, store.next_walk(30), owed(29), "signature-29", met_floor=False)
    assert store.progress().walks == (third, second, first)
    store.record_page(epoch, second, [], None, met_floor=True)
    assert store.progress().walks == (third, first._replace(head=20))
    store.record_page(epoch, first, [], None, met_floor=True)
    assert store.progress().discovered_through == 20
    store.record_page(epoch, third, [], None, met_floor=True)
    assert (store.progress().discovered_through, store.progress().walks) == (30, ())


def test_what_is_stored_or_owed_already_is_not_owed_again(store: IngestStore, epoch: int) -> None:
    store.append([], [Evidence("signature-5", 5, 0, None, b"{}", "node")])
    for _ in range(2):
        store.record_page(epoch, store.next_walk(10), owed(6, 5), "signature-5", met_floor=True)
    assert store.owed(9) == owed(6)
    in_another_slot = Owed("signature-5", 8, None)
    store.record_page(epoch, store.next_walk(11), [in_another_slot], None, met_floor=True)
    assert store.owed(9) == [*owed(6), in_another_slot], "a fork makes another inclusion of it"


def test_a_long_page_is_recorded_whole(store: IngestStore, epoch: int) -> None:
    slots = range(1_000, 0, -1)
    store.record_page(epoch, store.next_walk(1_000), owed(*slots), "signature-1", met_floor=True)
    assert store.progress().owed == 1_000
    assert store.owed(2) == owed(1, 2)


def test_a_look_that_finds_nothing_new_writes_nothing(store: IngestStore, epoch: int) -> None:
    store.record_page(epoch, store.next_walk(10), owed(7), "signature-7", met_floor=True)
    stale_yet_not_noticed = epoch - 1
    same = store.next_walk(10)
    assert store.record_page(stale_yet_not_noticed, same, owed(7), "signature-7", met_floor=True) == same


def test_discovered_through_never_falls(store: IngestStore, epoch: int) -> None:
    store.record_page(epoch, store.next_walk(10), [], None, met_floor=True)
    assert store.next_walk(4).head == 10, "a node that lags"
    store.record_page(epoch, Walk(None, -1, 4, None), owed(3), None, met_floor=True)
    assert store.progress().discovered_through == 10
