"""Appending: what is new is stored once, in order, with its evidence; what is known is left as it was."""

import msgspec
import pytest

from eventstore.backend import EncodedFact
from eventstore.errors import LeaseLost
from eventstore.facts import AuthorityInitialized, ContentConflictFound, CoverageAdvanced, Deposited
from eventstore.identity import key_of
from eventstore.open import open_fact_reader
from eventstore.port import Evidence, Inclusion, IngestStore, Owed
from eventstore.store import EventStore
from eventstore.topics import encode, topic_of
from tests.contract.eventstore.conftest import Deposit


def evidence(slot: int) -> Evidence:
    return Evidence(f"signature-{slot}", slot, 0, slot, b'{"slot":1}' * 10, "http://node")


def test_appended_facts_are_read_in_the_order_of_their_positions(store: IngestStore, deposit: Deposit) -> None:
    facts = [deposit(slot) for slot in (5, 3, 9)]
    store.append(facts)
    read = store.read_after(0, 10)
    assert [stored.fact for stored in read] == facts
    assert [stored.position for stored in read] == sorted(stored.position for stored in read)
    assert store.last_position() == read[-1].position


def test_reading_goes_on_after_a_position_and_stops_at_the_limit(store: IngestStore, deposit: Deposit) -> None:
    store.append([deposit(slot) for slot in range(5)])
    first = store.read_after(0, 2)
    assert len(first) == 2
    assert [s.fact.slot for s in store.read_after(first[-1].position, 9) if isinstance(s.fact, Deposited)] == [2, 3, 4]


@pytest.mark.parametrize("amount", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_amounts_survive_up_to_the_largest_u64(store: IngestStore, deposit: Deposit, amount: int) -> None:
    store.append([deposit(1, amount=amount)])
    (stored,) = store.read_after(0, 1)
    assert isinstance(stored.fact, Deposited)
    assert stored.fact.amount == amount


def test_a_fact_that_is_appended_again_is_stored_once(store: IngestStore, deposit: Deposit) -> None:
    store.append([deposit(1), deposit(2)])
    again = store.append([deposit(2), deposit(3), deposit(3)])
    assert (again.stored, again.conflicts) == (1, 0)
    assert len(store.read_after(0, 10)) == 3


def test_other_content_under_a_known_key_is_reported_and_the_first_stands(store: IngestStore, deposit: Deposit) -> None:
    store.append([deposit(1, amount=5)])
    appended = store.append([deposit(1, amount=6)])
    assert (appended.stored, appended.conflicts) == (0, 1)
    first, conflict = (stored.fact for stored in store.read_after(0, 10))
    assert first == deposit(1, amount=5)
    assert isinstance(conflict, ContentConflictFound)
    assert conflict.topic == "Deposited.1"
    store.append([deposit(1, amount=6)])
    assert len(store.read_after(0, 10)) == 2, "the same conflict is reported once"


def test_another_block_time_is_no_conflict_because_nodes_estimate_it(store: IngestStore, deposit: Deposit) -> None:
    store.append([deposit(1)])
    assert store.append([msgspec.structs.replace(deposit(1), block_time=None)]).conflicts == 0


def test_a_batch_is_stored_in_order_though_it_is_half_known_and_says_one_thing_twice(
    store: IngestStore, deposit: Deposit
) -> None:
    store.append([deposit(slot) for slot in range(0, 1_000, 2)], [evidence(slot) for slot in range(0, 1_000, 2)])
    before = store.last_position()
    everything = [deposit(slot) for slot in range(1_000)] + [deposit(7), deposit(8, amount=2)]
    again = store.append(everything, [evidence(slot) for slot in range(1_000)])
    assert (again.stored, again.conflicts) == (500, 1)
    new = [stored.fact for stored in store.read_after(before, 1_000)]
    assert new[:-1] == [deposit(slot) for slot in range(1, 1_000, 2)]
    assert isinstance(new[-1], ContentConflictFound)
    assert len(store.read_vault("vault", through_position=again.last_position, limit=2_000)) == 1_000


def test_time_stamps_never_go_back_even_if_the_clock_does(store: IngestStore, deposit: Deposit) -> None:
    assert isinstance(store, EventStore)
    clock = iter([100.0, 50.0, 200.0])
    store.now_s = lambda: next(clock)
    for slot in range(3):
        store.append([deposit(slot)])
    assert [stored.recorded_at_us for stored in store.read_after(0, 9)] == [100_000_000, 100_000_000, 200_000_000]


def test_a_batch_that_fails_leaves_nothing_behind(store: IngestStore, epoch: int, deposit: Deposit) -> None:
    store.record_page(epoch, store.next_walk(10), [Owed("signature-4", 4, None)], None, met_floor=True)
    beyond_the_frontier = CoverageAdvanced(through_slot=9, block_time=1, blockhash="hash")
    with pytest.raises(AssertionError):
        store.append(
            [deposit(4), beyond_the_frontier], [evidence(3)], no_longer_owed=[Inclusion("other", 4)], epoch=epoch
        )
    assert (store.last_position(), store.sample_inclusion(10, settled=False)) == (0, None)
    assert store.progress().owed == 1
    assert store.append([deposit(4)]).stored == 1, "the store is as usable as before"


def test_what_a_writer_has_not_committed_is_not_read_and_readers_do_not_wait_for_it(
    store: IngestStore, url: str, deposit: Deposit
) -> None:
    assert isinstance(store, EventStore)
    reader = open_fact_reader(url)
    with store.backend.writing() as t:
        t.append_new([EncodedFact(*key_of(deposit(1)), topic_of(deposit(1)), encode(deposit(1)))], 1)
        assert reader.read_after(0, 9) == []
    assert [stored.fact for stored in reader.read_after(0, 9)] == [deposit(1)]
    reader.close()


def test_only_what_is_settled_leaves_the_queue(store: IngestStore, epoch: int) -> None:
    found = [Owed(f"signature-{slot}", slot, None) for slot in (9, 5, 5, 7)] + [Owed("other", 5, 1_000)]
    store.record_page(epoch, store.next_walk(10), found, None, met_floor=True)
    settled = [Inclusion("signature-5", 5), Inclusion("signature-9", 5), Inclusion("unheard of", 1)]
    store.append([], no_longer_owed=settled, epoch=epoch)
    assert store.owed(9) == [Owed("other", 5, 1_000), Owed("signature-7", 7, None), Owed("signature-9", 9, None)]
    assert store.owed(1) == [Owed("other", 5, 1_000)]


def test_a_facts_identity_can_be_asked_by_position(store: IngestStore, deposit: Deposit) -> None:
    last = store.append([deposit(7)]).last_position
    assert store.key_at(last) == key_of(deposit(7))
    assert store.key_at(last + 1) is None


def test_a_vaults_facts_come_in_chain_order_whatever_their_arrival(store: IngestStore, deposit: Deposit) -> None:
    for slot in (9, 3, 5):
        store.append([deposit(slot, ordinal=1), deposit(slot), deposit(slot, ordinal=2, vault="another")])
    facts = [s.fact for s in store.read_vault("vault", through_position=store.last_position())]
    assert [(f.slot, f.ordinal) for f in facts if isinstance(f, Deposited)] == [
        (3, 0),
        (3, 1),
        (5, 0),
        (5, 1),
        (9, 0),
        (9, 1),
    ]
    assert len(store.read_vault("vault", through_position=3)) == 2


def test_a_vaults_facts_are_read_in_pages_each_going_on_after_the_last_fact_of_the_page_before(
    store: IngestStore, deposit: Deposit
) -> None:
    for slot in (9, 3, 5):
        store.append([deposit(slot, ordinal=1), deposit(slot), deposit(slot, ordinal=2, vault="another")])
    everything = store.read_vault("vault", through_position=99)
    for limit in range(1, 8):
        pages = [store.read_vault("vault", through_position=99, limit=limit)]
        while pages[-1]:
            pages.append(store.read_vault("vault", through_position=99, after=pages[-1][-1], limit=limit))
        assert [stored for page in pages for stored in page] == everything
        assert max(len(page) for page in pages) == min(limit, 6)


def test_evidence_settles_what_was_owed_in_the_same_transaction(store: IngestStore, epoch: int) -> None:
    walk = store.next_walk(10)
    store.record_page(epoch, walk, [Owed("signature-4", 4, None)], "signature-4", met_floor=True)
    assert store.progress().frontier == 3
    store.append([], [evidence(4)], no_longer_owed=[Inclusion("signature-4", 4)], epoch=epoch)
    assert (store.progress().owed, store.progress().frontier) == (0, 10)
    store.record_page(epoch, store.next_walk(10), [Owed("signature-4", 4, None)], None, met_floor=True)
    assert store.progress().owed == 0, "what is stored is not owed again"


def test_an_epoch_that_was_taken_over_changes_nothing(store: IngestStore, epoch: int, deposit: Deposit) -> None:
    stale = epoch - 1
    with pytest.raises(LeaseLost):
        store.append([deposit(1)], [evidence(1)], no_longer_owed=[Inclusion("signature-1", 1)], epoch=stale)
    with pytest.raises(LeaseLost):
        store.record_page(stale, store.next_walk(9), [Owed("s", 1, None)], "s", met_floor=False)
    assert store.last_position() == 0
    assert store.progress().owed == 0


def test_coverage_is_stated_up_to_the_frontier_and_no_further(store: IngestStore, epoch: int) -> None:
    store.record_page(epoch, store.next_walk(10), [], None, met_floor=True)
    covered = CoverageAdvanced(through_slot=10, block_time=1, blockhash="hash")
    store.append([covered], epoch=epoch)
    last = store.last_coverage()
    assert last is not None
    assert last.fact == covered
    assert store.progress().coverage == 10
    with pytest.raises(AssertionError):
        store.append([CoverageAdvanced(through_slot=11, block_time=1, blockhash="hash")], epoch=epoch)
    assert store.last_position() == 1


def test_the_newest_stored_inclusion_below_a_slot_is_found(store: IngestStore) -> None:
    store.append([], [evidence(4), evidence(8), evidence(12)])
    assert store.sample_inclusion(11, settled=False) == Inclusion("signature-8", 8)
    assert store.sample_inclusion(3, settled=False) is None


def test_the_store_tells_whether_it_holds_the_beginning_of_the_programs_history(
    store: IngestStore, deposit: Deposit
) -> None:
    store.append([deposit(5)])
    assert not store.holds_beginning()
    store.append(
        [
            AuthorityInitialized(
                signature="first",
                slot=1,
                transaction_index=0,
                ordinal=0,
                revision=0,
                block_time=1,
                timestamp=1,
                authority="authority",
                admin="admin",
                collateral_mint="mint",
                decimals=6,
            )
        ]
    )
    assert store.holds_beginning()
