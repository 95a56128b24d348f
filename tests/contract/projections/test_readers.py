"""What readers are told: as of a moment, of periods that coverage has passed, and of what is not complete."""

import pytest

from eventstore.facts import CoverageAdvanced, Deposited, GapAccepted, GapClosed, GapFound, VaultFact
from eventstore.port import IngestStore
from projections.as_of import Moment
from projections.errors import BeyondCoverage, KnownLater, PointUnknown
from projections.read_models import StoreReadModels
from projections.registry import PROJECTIONS
from projections.store import ReadModelStore
from projections.vaults import VAULTS
from tests.contract.projections.conftest import Opener
from tests.contract.projections.test_poison import FACTS as POISONED
from tests.contract.projections.test_poison import POISON, poisoned
from tests.unit.projections.following import append, follow
from tests.unit.projections.histories import Ledger, Step, random_history, time_of

FACTS = random_history(steps=300, vaults=7)


async def follow_all(models: ReadModelStore, events: IngestStore) -> None:
    for projection in PROJECTIONS.values():
        await follow(projection, events, models)


async def test_all_vaults_as_of_a_moment_come_in_pages_and_add_up_to_the_tvl(
    models: ReadModelStore, events: IngestStore, open_models: Opener
) -> None:
    happened = [f for f in FACTS if isinstance(f, VaultFact)]
    slot = happened[-1].slot
    append(events, [*FACTS, CoverageAdvanced(through_slot=slot, block_time=time_of(slot), blockhash=None)])
    await follow_all(models, events)
    reader = StoreReadModels(open_models)
    middle = happened[100]
    for moment in (Moment(), Moment(slot=middle.slot), Moment(signature=middle.signature, known_at=len(FACTS))):
        states, start = [], None
        while True:
            page = await reader.vaults_as_of(moment, start=start, limit=3)
            states += page.items
            if (start := page.next) is None:
                break
        assert [s.vault for s in states] == sorted({s.vault for s in states})
        for state in states:
            assert (await reader.vault_as_of(state.vault, moment)).data == state
        tvl = (await reader.tvl_as_of(moment)).data
        assert tvl.total_balance == sum(s.total_balance for s in states)
        assert (tvl.locked_balance, tvl.vault_count) == (sum(s.locked_balance for s in states), len(states))
    live = (await reader.tvl()).data
    assert live is not None
    now = (await reader.tvl_as_of(Moment())).data
    assert (live.total_balance, live.locked_balance) == (now.total_balance, now.locked_balance)
    with pytest.raises(PointUnknown):
        await reader.vault_as_of("vault-0001", Moment(signature="nobody"))
    with pytest.raises(KnownLater):
        await reader.vault_as_of("vault-0001", Moment(known_at=len(FACTS) + 2))
    with pytest.raises(BeyondCoverage):
        await reader.vault_as_of("vault-0001", Moment(slot=slot + 1))
    await reader.close()


async def test_snapshots_and_minutes_are_told_once_coverage_has_passed_them(
    models: ReadModelStore, events: IngestStore, open_models: Opener
) -> None:
    facts = Ledger(vaults=1).take(Step("deposit", 0, 0, 1, False) for _ in range(3 * 180 * 5))  # five hours
    reader, hour = StoreReadModels(open_models), time_of(1_000) // 3_600 * 3_600
    append(events, facts)
    await follow_all(models, events)
    assert (await reader.snapshots("vault-0000", "hourly", start=None, limit=9)).items == []
    assert (await reader.tvl_history(start=None, limit=9, order="asc")).items == []
    slot = 1_000 + (hour + 2 * 3_600 - time_of(1_000)) // 20
    append(events, [CoverageAdvanced(through_slot=slot, block_time=hour + 2 * 3_600, blockhash=None)])
    await follow_all(models, events)
    page = await reader.snapshots("vault-0000", "hourly", start=None, limit=1)
    assert [s.start for s in page.items] == [hour + 3_600]
    second = await reader.snapshots("vault-0000", "hourly", start=page.next, limit=1)
    assert ([s.start for s in second.items], second.next) == ([hour], None)
    then = [f for f in facts if isinstance(f, Deposited) and f.timestamp < hour + 2 * 3_600]
    assert page.items[0].total_balance == then[-1].total_balance
    day = (await reader.snapshots("vault-0000", "daily", start=None, limit=9)).items
    assert [(s.start, s.total_balance) for s in day] == [(hour - 22 * 3_600, then[-1].total_balance)], "it ends there"
    minutes = (await reader.tvl_history(start=None, limit=1_000, order="asc", from_s=hour + 3_600)).items
    assert [m.minute for m in minutes] == list(range(hour + 3_600, hour + 7_200, 60))
    assert minutes[-1].total_balance == then[-1].total_balance
    await reader.close()


async def test_coverage_and_gaps_are_told_by_what_was_said_of_them_last(
    models: ReadModelStore, events: IngestStore, open_models: Opener
) -> None:
    gaps = [{"from_slot": n, "through_slot": n, "signature": None, "times": 1, "reason": "r"} for n in (5, 6, 7)]
    found = [GapFound(**gap) for gap in gaps]  # type: ignore[arg-type]  # as a gap is named
    accepted = GapAccepted(**gaps[1], operator="somebody")  # type: ignore[arg-type]  # as above
    append(events, [GapClosed(**gaps[2]), accepted, *found])  # type: ignore[arg-type]  # as above
    append(events, [CoverageAdvanced(through_slot=4, block_time=1, blockhash="b")])
    await follow_all(models, events)
    reader = StoreReadModels(open_models)
    told = (await reader.coverage()).data
    assert [(one.state, one.through_slot) for one in told] == [("complete", 4), ("open", 5), ("accepted", 6)]
    assert (told[2].operator, told[2].reason) == ("somebody", "r")
    await reader.close()


async def test_an_answer_says_which_vaults_stand_still(
    models: ReadModelStore, events: IngestStore, open_models: Opener
) -> None:
    append(events, POISONED)
    await follow(poisoned(VAULTS), events, models)
    reader = StoreReadModels(open_models)
    assert (await reader.meta("vaults")).degraded == (POISON.vault,)
    await reader.close()
