"""The operator's commands as they are typed: what they say, and what becomes of the read models."""

import asyncio

import pytest
from msgspec.structs import replace

from eventstore.facts import OperatorActed
from eventstore.open import open_fact_reader, open_ingest_store
from projections.open import open_store
from projections.registry import PROJECTIONS
from projections.vaults import VAULTS
from tests.contract.projections.test_poison import FACTS, POISON, poisoned
from tests.integration.projections.conftest import Commands
from tests.unit.projections.following import append, follow

OF_VAULTS = ("--projection", "vaults")


@pytest.fixture(autouse=True)
def rebuilt(projector: Commands) -> None:
    events = open_ingest_store(projector.events_url)
    append(events, FACTS)
    events.close()
    assert projector.run("rebuild").code == 0


def states(projector: Commands) -> list[tuple[int, str]]:
    return [(one["generation"], one["state"]) for one in projector.json("generations", *OF_VAULTS)]


def acted(projector: Commands) -> list[tuple[str, str, str | None]]:
    events = open_ingest_store(projector.events_url)
    facts = [stored.fact for stored in events.read_after(0, 10_000)]
    events.close()
    return [(f.action, f.subject, f.reason) for f in facts if isinstance(f, OperatorActed)]


def test_a_rebuild_is_left_flipped_to_taken_back_and_dropped_and_each_step_is_a_fact(projector: Commands) -> None:
    assert "is ready" in projector.run("rebuild", *OF_VAULTS, "--no-flip").shown
    assert states(projector) == [(1, "live"), (2, "ready")]
    assert projector.json("flip", *OF_VAULTS)["done"] == "generation 2 is live"
    assert projector.json("rollback", *OF_VAULTS)["done"] == "generation 1 is live again"
    assert states(projector) == [(1, "live"), (2, "kept")]
    projector.json("drop", *OF_VAULTS, "--generation", "2")
    assert states(projector) == [(1, "live")]
    assert "has no generation that is kept" in projector.refused("rollback", *OF_VAULTS)
    assert acted(projector) == [
        ("rebuild", ", ".join(PROJECTIONS), None),
        ("rebuild --no-flip", "vaults", None),
        ("flip", "vaults to generation 2", None),
        ("rollback", "vaults to generation 1", None),
        ("drop", "generation 2 of vaults", None),
    ]


def test_what_a_rebuild_would_change_is_told_and_nothing_is_changed(projector: Commands) -> None:
    before, facts = projector.json("digest"), acted(projector)
    told = projector.run("rebuild", *OF_VAULTS, "--diff")
    assert told.shown.startswith("vaults: 0 documents of the live generation differ")
    assert (projector.json("digest"), acted(projector), states(projector)) == (before, facts, [(1, "live")])


def test_what_was_left_is_dropped_when_told(projector: Commands) -> None:
    projector.run("rebuild", *OF_VAULTS, "--no-flip")
    assert projector.run("rebuild", *OF_VAULTS, "--cancel").code == 0
    assert states(projector) == [(1, "live")]
    assert "--cancel and --diff stand alone" in projector.refused("rebuild", "--cancel", "--resume")


def test_a_verification_says_what_it_compared(projector: Commands) -> None:
    done = projector.run("verify")
    assert done.code == 0
    assert [line.split(":")[0] for line in done.shown.splitlines()] == list(PROJECTIONS)
    assert "vaults: 7 documents of generation 1 are what the facts say" in done.shown


def test_pauses_show_in_the_status_with_their_reason(projector: Commands) -> None:
    projector.json("pause", *OF_VAULTS, "--reason", "moving house")
    assert [status["paused"] for status in projector.json("status")][:2] == ["moving house", None]
    assert "paused: moving house" in projector.run("status").shown
    projector.json("resume", *OF_VAULTS)
    assert projector.json("status")[0]["paused"] is None
    assert acted(projector)[-2:] == [("pause", "vaults", "moving house"), ("resume", "vaults", None)]


def test_what_is_parked_is_listed_shown_and_given_up_with_a_reason(
    projector: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = replace(POISON, signature="later", slot=POISON.slot + 10_000)
    monkeypatch.setitem(PROJECTIONS, "vaults", poisoned(VAULTS, late))
    events = open_ingest_store(projector.events_url)
    append(events, [late])
    position = events.last_position()
    events.close()
    follow_to(projector, position)
    assert [(one["vault"], one["position"]) for one in projector.json("parked", "list")] == [(late.vault, position)]
    assert projector.json("status")[0]["parked"] == 1
    shown = projector.run("parked", "show", *OF_VAULTS, late.vault).shown
    assert '"topic": "Deposited.1"' in shown
    assert '"later"' in shown
    assert projector.json("parked", "retry", *OF_VAULTS)["done"] == "1 vaults are tried again"
    assert "nothing of vault 'x' is parked" in projector.refused("parked", "discard", *OF_VAULTS, "x", "--reason", "y")
    done = projector.json("parked", "discard", *OF_VAULTS, late.vault, "--reason", "a joke")
    assert done["done"] == f"the event at position {position} is left out of {late.vault}"
    follow_to(projector, position + 3)
    assert projector.json("parked", "list") == []
    assert acted(projector)[-2][0] == "parked retry"
    assert acted(projector)[-1][2] == "a joke"


def follow_to(projector: Commands, position: int) -> None:
    """A projector within this process: it has the definitions of the test."""

    async def run() -> None:
        facts, store = (
            open_fact_reader(projector.events_url),
            open_store(f"sqlite:///{projector.folder}/read-models", create=False),
        )
        assert facts.last_position() == position
        await follow(PROJECTIONS["vaults"], facts, store)
        await store.close()
        facts.close()

    asyncio.run(run())
