"""What all vaults hold: each minute once coverage has passed it, mended when something shows up late or falls."""

from typing import NamedTuple

import pytest

from eventstore.facts import CoverageAdvanced, Deposited, Fact, TransactionReverted, Withdrawn
from eventstore.port import IngestStore
from projections.documents import TvlDocument
from projections.store import Checkpoint, Query, ReadModelStore
from projections.tvl_stats import LIVE, TVL_STATS
from tests.unit.projections.following import PACE, append, follow, live_generation, proved_digest, rebuild
from tests.unit.projections.histories import Ledger, Step, time_of

VAULTS = 3
START = time_of(1_000) // 60 * 60
"""A slot takes 20 seconds: slot 1,000 is 20 seconds into its minute."""


def deposits(*amounts: int) -> list[Fact]:
    """One transaction each, three to a slot."""
    return Ledger(VAULTS).take(Step("deposit", n % VAULTS, 0, amount, False) for n, amount in enumerate(amounts))


def covered(slot: int) -> CoverageAdvanced:
    return CoverageAdvanced(through_slot=slot, block_time=time_of(slot), blockhash=None)


class Minute(NamedTuple):
    number: int
    total: int
    vaults: int


async def tvl(events: IngestStore, models: ReadModelStore, *facts: Fact) -> tuple[list[Minute], TvlDocument]:
    """Settled minutes, numbered from 0, and the live total, after these facts; proved."""
    append(events, facts)
    await follow(TVL_STATS, events, models)
    await proved_digest(TVL_STATS, events, models)
    generation = await live_generation(models, TVL_STATS)
    rows = await generation.find(Query({}, ("minute", "id"), (-1, "~"), False, 1_000))
    live = (await generation.get([LIVE]))[LIVE].document
    await generation.close()
    settled = [row.document for row in rows if row.document.settled]
    return [Minute((d.minute - START) // 60, d.total_balance, d.vault_count) for d in settled], live


async def test_a_minute_is_told_when_coverage_has_passed_its_end_and_the_live_total_at_once(
    models: ReadModelStore, events: IngestStore
) -> None:
    facts = deposits(*[10] * 40)
    settled, live = await tvl(events, models, *facts)
    assert (settled, live.total_balance, live.vault_count) == ([], 400, 3)
    settled, _ = await tvl(events, models, covered(1_002))
    assert [m.number for m in settled] == [0]
    settled, live = await tvl(events, models, covered(1_008))
    assert [m.number for m in settled] == [0, 1, 2]
    stood = [f for f in facts if isinstance(f, Deposited) and f.timestamp < START + 180]
    assert settled[-1] == (2, 10 * len(stood), 3)
    assert live.total_balance == 400


async def test_it_ticks_every_minute_in_which_coverage_arrives_and_tells_nothing_of_hours_without(
    models: ReadModelStore, events: IngestStore
) -> None:
    settled, _ = await tvl(events, models, *deposits(5), covered(1_005), covered(1_008), covered(1_308))
    assert [m.number for m in settled] == [0, 1, 2, 102]
    assert {m.total for m in settled} == {5}


@pytest.mark.parametrize("page", [1, 2, 1_000])
async def test_what_shows_up_late_or_falls_mends_every_minute_after_it(
    models: ReadModelStore, events: IngestStore, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr("projections.settling.PAGE", page)
    facts = deposits(*[10] * 40)
    late = next(f for f in facts if isinstance(f, Deposited))
    rest = [f for f in facts if f is not late]
    before, _ = await tvl(events, models, *rest, covered(1_010))
    after, _ = await tvl(events, models, late)
    assert [(m.number, m.total) for m in after] == [(m.number, m.total + 10) for m in before]
    reverted = TransactionReverted(signature=late.signature, slot=late.slot, times=1, blockhash=None)
    again, live = await tvl(events, models, reverted)
    fell = sum(isinstance(f, Deposited) and f.signature == late.signature for f in facts)
    assert [(m.number, m.total) for m in again] == [(m.number, m.total + 10 - 10 * fell) for m in before]
    assert live.events == len(facts) - sum(getattr(f, "signature", "") == late.signature for f in facts)


async def test_a_minute_of_which_all_fell_is_gone_and_those_after_it_are_mended(
    models: ReadModelStore, events: IngestStore
) -> None:
    facts = deposits(*[10] * 12)
    first = [f for f in facts if isinstance(f, Deposited) and f.timestamp < START + 60]
    before, _ = await tvl(events, models, *facts, covered(1_010))
    reverts = [TransactionReverted(signature=f.signature, slot=f.slot, times=1, blockhash=None) for f in first]
    after, _ = await tvl(events, models, *reverts)
    assert [m.number for m in before] == [0, 1, 2]
    assert [m.number for m in after] == [1, 2]
    assert after[-1].total == before[-1].total - 10 * len(first)


@pytest.mark.parametrize("batch", [1, 3, 7, 1_000])
async def test_a_batch_that_was_written_but_for_the_checkpoint_is_applied_once(
    models: ReadModelStore, events: IngestStore, batch: int
) -> None:
    facts = Ledger(VAULTS).take(Step("deposit" if n % 3 else "withdraw", n % VAULTS, 0, 10, False) for n in range(40))
    assert any(isinstance(f, Withdrawn) for f in facts)
    append(events, [*facts[:20], covered(1_004), *facts[20:]])
    last = next(f for f in facts[::-1] if isinstance(f, Deposited))
    append(events, [TransactionReverted(signature=last.signature, slot=last.slot, times=1, blockhash=None)])
    await follow(TVL_STATS, events, models)
    generation = await live_generation(models, TVL_STATS)
    await generation.apply([], await generation.checkpoint(), Checkpoint())
    await generation.close()
    append(events, [covered(1_020)])
    await follow(TVL_STATS, events, models, PACE._replace(batch=batch))
    digest = await proved_digest(TVL_STATS, events, models)
    assert (await rebuild(TVL_STATS, events, models, batch=batch)).digest == digest
