"""What stands of all that was said about one signature, whatever came first."""

from itertools import permutations
from typing import Any

import pytest

from eventstore.facts import (
    ChainFact,
    CoverageAdvanced,
    EventUndecoded,
    Fact,
    TransactionReinstated,
    TransactionReverted,
)
from eventstore.port import StoredFact
from eventstore.standing import State, standing, turns


def said(slot: int, revision: int = 0) -> EventUndecoded:
    """Anything that a decode says."""
    place: dict[str, Any] = {"slot": slot, "transaction_index": 0, "ordinal": 0, "revision": revision}
    return EventUndecoded(signature="s", **place, block_time=None, reason="", data=b"")


def reverted(slot: int, times: int = 1) -> Fact:
    return TransactionReverted(signature="s", slot=slot, times=times, blockhash=None)


def reinstated(slot: int, times: int = 1) -> Fact:
    return TransactionReinstated(signature="s", slot=slot, times=times)


def covered(slot: int) -> Fact:
    return CoverageAdvanced(through_slot=slot, block_time=None, blockhash=None)


@pytest.mark.parametrize(
    ("about", "state"),
    [
        ([said(5)], "standing"),
        ([said(5), reverted(5)], "reverted"),
        ([said(5), reverted(4)], "standing"),
        ([said(5), reverted(5), reinstated(5)], "standing"),
        ([said(5), reverted(5), reinstated(5), reverted(5, 2)], "reverted"),
        ([said(5), said(5, 1)], "superseded"),
        ([said(5), said(5, 1), reverted(5)], "superseded"),
        ([said(5), said(6)], "superseded"),
        ([said(5), said(4)], "standing"),
        ([said(5), said(6), covered(5)], "standing"),
        ([said(5), said(6), covered(4)], "superseded"),
        ([said(5), said(6), covered(7)], "superseded"),
        ([said(5), said(6), reverted(6)], "standing"),
        ([said(5), said(6), reverted(5)], "reverted"),
        ([said(5), said(6), reverted(5), reverted(6), covered(7)], "reverted"),
        ([said(5), said(6), reverted(5), covered(5)], "reverted"),
    ],
)
def test_the_first_said_is(about: list[Fact], state: State) -> None:
    fact = about[0]
    assert isinstance(fact, ChainFact)
    for order in permutations(about):
        assert standing([*order, *order]).state_of(fact) == state


def test_at_most_one_inclusion_stands_in_one_revision() -> None:
    decodes = [said(slot, revision) for slot in (4, 5, 6) for revision in (0, 1)]
    mores: list[list[Fact]] = [[], [reverted(6)], [covered(4)], [reverted(4), reverted(5), reverted(6)]]
    for more in mores:
        stands = standing([*decodes, *more])
        assert sum(stands.state_of(decode) == "standing" for decode in decodes) == (0 if len(more) == 3 else 1)


def test_turns_tell_from_where_to_where_a_fact_stood() -> None:
    about: list[Fact] = [said(5), reverted(5), covered(4), reinstated(5), said(6), covered(5), said(5, 1)]
    stored = [StoredFact(10 * n, 0, fact) for n, fact in enumerate(about, start=1)]
    assert turns(stored, said(5)) == (10, 20, 40, 50, 60, 70)
    assert turns(stored, said(6)) == (50, 60)
    assert turns(stored, said(5, 1)) == (70,)
