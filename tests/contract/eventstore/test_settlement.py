"""What was seen before it was final becomes final, or is reverted as a fact; what is missing holds coverage."""

import pytest

from eventstore.facts import (
    CoverageAdvanced,
    GapAccepted,
    GapClosed,
    GapFound,
    TransactionReinstated,
    TransactionReverted,
)
from eventstore.port import Evidence, Gap, Inclusion, IngestStore, Owed, Reverted
from tests.contract.eventstore.conftest import Deposit


def evidence(slot: int, signature: str | None = None, *, is_final: bool = False) -> Evidence:
    return Evidence(signature or f"signature-{slot}", slot, 0, slot, b"{}", "node", is_final)


def discover(store: IngestStore, epoch: int, head: int, *slots: int) -> None:
    found = [Owed(f"signature-{slot}", slot, None) for slot in sorted(slots, reverse=True)]
    store.record_page(epoch, store.next_walk(head), found, None, met_floor=True)


def covered(slot: int) -> CoverageAdvanced:
    return CoverageAdvanced(through_slot=slot, block_time=slot, blockhash="hash")


def kinds(store: IngestStore) -> list[str]:
    return [type(stored.fact).__name__ for stored in store.read_after(0, 100)]


def test_what_was_not_final_when_it_was_fetched_is_unsettled_and_holds_coverage(
    store: IngestStore, epoch: int, deposit: Deposit
) -> None:
    discover(store, epoch, 10, 5, 8)
    fetched = [Inclusion("signature-5", 5), Inclusion("signature-8", 8)]
    store.append([deposit(5)], [evidence(5, is_final=True), evidence(8)], no_longer_owed=fetched, epoch=epoch)
    assert store.unsettled(10, 10) == [Inclusion("signature-8", 8)]
    assert store.unsettled(7, 10) == []
    progress = store.progress()
    assert (progress.frontier, progress.unsettled, progress.complete_through) == (10, 1, 7)
    with pytest.raises(AssertionError):
        store.append([covered(8)], epoch=epoch)
    store.settle(epoch, [Inclusion("signature-8", 8)])
    progress = store.progress()
    assert (progress.unsettled, progress.complete_through) == (0, 10)
    assert kinds(store) == ["Deposited"], "that something is final is no fact of its own"


def test_evidence_that_comes_again_is_not_unsettled_again(store: IngestStore, epoch: int) -> None:
    store.append([], [evidence(5)])
    store.settle(epoch, [Inclusion("signature-5", 5)])
    store.append([], [evidence(5)])
    assert store.progress().unsettled == 0


def test_what_the_chain_does_not_have_is_reverted_once(store: IngestStore, epoch: int, deposit: Deposit) -> None:
    store.append([deposit(5)], [evidence(5)])
    gone = Reverted(Inclusion("signature-5", 5), "hash-5")
    assert store.settle(epoch, [], [gone]).stored == 1
    assert store.settle(epoch, [], [gone]).stored == 0
    fact = store.read_after(0, 10)[-1].fact
    assert fact == TransactionReverted(signature="signature-5", slot=5, times=1, blockhash="hash-5")
    assert store.progress().unsettled == 0


def test_a_signature_that_is_final_in_one_slot_is_reverted_in_every_other(
    store: IngestStore, epoch: int, deposit: Deposit
) -> None:
    store.append([], [evidence(5, "moved"), evidence(7, "moved"), evidence(9, "moved"), evidence(9, "other")])
    assert store.settle(epoch, [Inclusion("moved", 7)]).stored == 2
    facts = [stored.fact for stored in store.read_after(0, 10)]
    assert [(f.slot, f.landed_in_slot) for f in facts if isinstance(f, TransactionReverted)] == [(5, 7), (9, 7)]
    assert store.unsettled(10, 10) == [Inclusion("other", 9)]


def test_final_evidence_reverts_the_other_inclusions_of_its_signature_too(store: IngestStore, epoch: int) -> None:
    store.append([], [evidence(9, "moved")])
    store.append([], [evidence(7, "moved", is_final=True)])
    assert kinds(store) == ["TransactionReverted"]
    assert store.progress().unsettled == 0


def test_what_was_reverted_is_owed_again_only_below_a_final_head_and_then_reinstated(
    store: IngestStore, epoch: int, deposit: Deposit
) -> None:
    store.append([deposit(5)], [evidence(5)])
    store.settle(epoch, [], [Reverted(Inclusion("signature-5", 5), None)])
    discover(store, epoch, 4, 5)
    assert store.progress().owed == 0, "a node on the fork that was left still lists it"
    discover(store, epoch, 6, 5)
    assert store.owed(10) == [Owed("signature-5", 5, None)]
    fetched = [Inclusion("signature-5", 5)]
    store.append([deposit(5)], [evidence(5, is_final=True)], no_longer_owed=fetched, epoch=epoch)
    assert kinds(store) == ["Deposited", "TransactionReverted", "TransactionReinstated"]
    assert store.read_after(0, 10)[-1].fact == TransactionReinstated(signature="signature-5", slot=5, times=1)
    assert store.settle(epoch, [], [Reverted(Inclusion("signature-5", 5), None)]).stored == 1, "a second time"


def test_a_signature_found_elsewhere_while_settling_is_owed_there(store: IngestStore, epoch: int) -> None:
    store.append([], [evidence(5, "moved")])
    gone = Reverted(Inclusion("moved", 5), "hash-5")
    store.settle(epoch, [], [gone], found=[Owed("moved", 6, None)])
    assert store.owed(10) == [Owed("moved", 6, None)]


def test_a_gap_holds_coverage_and_no_longer_the_frontier_until_it_is_closed(
    store: IngestStore, epoch: int, deposit: Deposit
) -> None:
    discover(store, epoch, 10, 5)
    gap = Gap(5, 5, "signature-5", "the node has no logs of it")
    assert store.find_gaps(epoch, [gap]).stored == 1
    assert store.find_gaps(epoch, [gap]).stored == 0, "it is open already"
    progress = store.progress()
    assert (progress.owed, progress.frontier, progress.complete_through) == (1, 10, 4)
    fetched = [Inclusion("signature-5", 5)]
    store.append([deposit(5)], [evidence(5, is_final=True)], no_longer_owed=fetched, epoch=epoch)
    assert store.progress().complete_through == 10
    assert store.gaps() == []
    assert kinds(store) == ["GapFound", "Deposited", "GapClosed"]


def test_an_operator_accepts_a_gap_with_a_reason_and_coverage_passes_it(store: IngestStore, epoch: int) -> None:
    discover(store, epoch, 10, 5)
    gap = Gap(5, 5, "signature-5", "the node has no logs of it")
    assert not store.accept_gap(gap, operator="mara", reason="it is not ours"), "nobody found it"
    store.find_gaps(epoch, [gap])
    assert store.accept_gap(gap, operator="mara", reason="it is not ours")
    assert not store.accept_gap(gap, operator="mara", reason="it is not ours")
    assert store.gaps() == [Gap(5, 5, "signature-5", "it is not ours", is_accepted=True)]
    assert store.progress().complete_through == 10
    accepted = store.read_after(0, 10)[-1].fact
    assert accepted == GapAccepted(
        from_slot=5, through_slot=5, signature="signature-5", times=1, reason="it is not ours", operator="mara"
    )


def test_a_gap_that_opens_again_is_a_new_fact(store: IngestStore, epoch: int) -> None:
    gap = Gap(5, 5, "signature-5", "lost")
    store.append([], [evidence(5)])
    store.find_gaps(epoch, [gap])
    store.settle(epoch, [Inclusion("signature-5", 5)])
    store.find_gaps(epoch, [gap])
    found = [s.fact.times for s in store.read_after(0, 10) if isinstance(s.fact, GapFound)]
    assert found == [1, 2]


def test_what_shows_up_below_coverage_was_a_gap_that_nobody_knew_of(
    store: IngestStore, epoch: int, deposit: Deposit
) -> None:
    discover(store, epoch, 10)
    store.append([covered(10)], epoch=epoch)
    store.append([deposit(5)], [evidence(5, is_final=True)])
    found, closed = (s.fact for s in store.read_after(0, 10)[-2:])
    assert isinstance(found, GapFound)
    assert isinstance(closed, GapClosed)
    assert (found.from_slot, found.signature, closed.times) == (5, "signature-5", 1)
    assert store.gaps() == []


def test_what_is_settled_between_two_slots_is_told(store: IngestStore, epoch: int) -> None:
    final = [evidence(slot, is_final=True) for slot in (4, 5, 6, 7, 9)]
    store.append([], [*final, evidence(8)])
    store.settle(epoch, [], [Reverted(Inclusion("signature-6", 6), "another")])
    assert store.settled_between(5, 8) == [Inclusion("signature-5", 5), Inclusion("signature-7", 7)]
