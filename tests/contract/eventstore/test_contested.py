"""The index of contested signatures: complete, and the same whatever came first and in how many portions."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from eventstore.facts import CoverageAdvanced, Deposited, EventUndecoded, Fact, TransactionReverted
from eventstore.port import IngestStore
from tests.contract.eventstore.conftest import Deposit, Opener

VERY_LAST = 10**9


def undecoded(like: Deposited) -> EventUndecoded:
    place = {
        n: getattr(like, n) for n in ("signature", "slot", "transaction_index", "ordinal", "revision", "block_time")
    }
    return EventUndecoded(**place, reason="", data=b"")


def reverted(signature: str, slot: int) -> TransactionReverted:
    return TransactionReverted(signature=signature, slot=slot, times=1, blockhash=None)


def about(store: IngestStore, signature: str) -> list[Fact]:
    return [stored.fact for stored in store.read_contested(signature, through_position=VERY_LAST)]


def cover(store: IngestStore, epoch: int, slot: int) -> CoverageAdvanced:
    store.record_page(epoch, store.next_walk(slot), [], None, met_floor=True)
    coverage = CoverageAdvanced(through_slot=slot, block_time=None, blockhash=None)
    store.append([coverage], epoch=epoch)
    return coverage


def test_one_decode_of_one_inclusion_is_not_contested(store: IngestStore, deposit: Deposit) -> None:
    first = deposit(1)
    store.append([first, replace(first, ordinal=1)])
    store.append([replace(first, ordinal=2), undecoded(replace(first, ordinal=3)), deposit(2)])
    assert store.contested_between(0, VERY_LAST) == []
    assert store.contested_of_vault("vault", through_position=VERY_LAST) == []


@pytest.mark.parametrize("what", ["another slot", "another revision", "reverted"])
@pytest.mark.parametrize("at_once", [1, 3, 9])
def test_whatever_came_first_all_that_is_said_of_a_contested_signature_is_found(
    store: IngestStore, open_store: Opener, deposit: Deposit, what: str, at_once: int
) -> None:
    for number, order in enumerate(permutations(range(4))):
        first = replace(deposit(10, vault=f"vault-{number}"), signature=f"signature of {number}")
        contests: dict[str, Fact] = {
            "another slot": replace(first, slot=11),
            "another revision": replace(first, revision=1),
            "reverted": reverted(first.signature, 10),
        }
        said = [first, replace(first, ordinal=1), undecoded(replace(first, ordinal=2)), contests[what]]
        before = store.last_position()
        arriving = [said[place] for place in order]
        for start in range(0, 4, at_once):
            store.append(arriving[start : start + at_once])
        assert about(store, first.signature) == arriving
        assert store.contested_between(before, before + 1) == [first.signature]
        assert store.contested_between(before, VERY_LAST) == [first.signature]
        assert store.contested_of_vault(f"vault-{number}", through_position=VERY_LAST) == [first.signature]
        assert len(store.read_contested(first.signature, through_position=before + 2)) == 2


def test_coverage_that_passes_an_inclusion_is_about_it_whichever_comes_first(
    store: IngestStore, epoch: int, deposit: Deposit
) -> None:
    early, late = deposit(10), replace(deposit(20), signature="signature-10")
    store.append([early])
    first = cover(store, epoch, 5)
    store.append([late])
    assert about(store, "signature-10") == [early, first, late]
    second = cover(store, epoch, 15)
    cover(store, epoch, 18)
    third = cover(store, epoch, 20)
    assert about(store, "signature-10") == [early, first, late, second, third]
    assert store.contested_between(store.last_position() - 1, VERY_LAST) == ["signature-10"]


def test_a_fact_that_is_appended_again_does_not_make_its_signature_contested(
    store: IngestStore, deposit: Deposit
) -> None:
    for _ in range(2):
        store.append([deposit(1), deposit(2)])
    assert store.contested_between(0, VERY_LAST) == []


@pytest.mark.parametrize("at_once", [1, 2, 9])
def test_signatures_that_share_an_id_are_told_apart(
    store: IngestStore, deposit: Deposit, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.contested.signature_id", lambda signature: 7)
    said: list[Fact] = [deposit(1), deposit(2), deposit(3), replace(deposit(1), ordinal=1), reverted("signature-1", 1)]
    for start in range(0, len(said), at_once):
        store.append(said[start : start + at_once])
    assert about(store, "signature-1") == [said[0], said[3], said[4]]
    for number in (2, 3):
        assert about(store, f"signature-{number}") in ([], [said[number - 1]])


def test_coverage_that_passed_nothing_that_was_said_before_is_about_what_is_found_below_it_late(
    store: IngestStore, epoch: int, deposit: Deposit
) -> None:
    seen = deposit(16)
    elsewhere, late = replace(seen, slot=17), replace(seen, slot=11)
    store.append([seen, elsewhere])
    covered = cover(store, epoch, 12)
    assert about(store, seen.signature) == [seen, elsewhere]
    store.append([late])
    assert about(store, seen.signature) == [seen, elsewhere, covered, late]
