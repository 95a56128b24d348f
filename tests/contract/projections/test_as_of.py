"""Any vault, or all of them, as of any slot, time or signature, as it was known at any position."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from eventstore.facts import ChainFact, CoverageAdvanced, Fact, VaultFact
from eventstore.identity import chain_order, vaults_of
from eventstore.port import IngestStore, StoredFact
from eventstore.standing import standing
from projections.as_of import NOW, Point, at_signature, at_slot, at_time, vault_as_of, vaults_as_of
from projections.documents import TransactionDocument
from projections.store import Generation, ReadModelStore
from projections.transactions import TRANSACTIONS
from tests.unit.projections.following import PACE, append, follow, live_generation
from tests.unit.projections.histories import (
    DISPUTES,
    Dispute,
    Disputes,
    random_history,
    with_rising_coverage,
)


def disputed(seed: int) -> list[Fact]:
    rng = random.Random(seed)
    history = random_history(steps=60, vaults=5, seed=seed)
    disputes = [Dispute(rng.choice(DISPUTES), rng.randrange(200), rng.randint(-2, 6)) for _ in range(25)]
    facts = [*history, *Disputes(history).take(disputes)]
    rng.shuffle(facts)
    return with_rising_coverage(facts)


def stood_then(log: Sequence[StoredFact], known_at: int) -> list[Any]:
    """Facts that stood at a position, in chain order; by nothing but the rule, on all that was known then."""
    known = [stored.fact for stored in log if stored.position <= known_at]
    coverage = [fact for fact in known if isinstance(fact, CoverageAdvanced)]
    about: dict[str, list[Fact]] = {}
    for fact in known:
        if hasattr(fact, "signature") and not hasattr(fact, "from_slot"):
            about.setdefault(fact.signature, []).append(fact)
    rules = {signature: standing([*said, *coverage]) for signature, said in about.items()}
    said = [fact for fact in known if isinstance(fact, ChainFact) and vaults_of(fact)]
    return sorted((f for f in said if rules[f.signature].state_of(f) == "standing"), key=chain_order)


def expected(facts: Sequence[Any], last: Any) -> dict[str, tuple[str, int, int]]:
    """By vault: where its last fact is."""
    return {vault: (f.signature, f.slot, f.ordinal) for f in facts if last(f) for vault in vaults_of(f)}


def seen(transaction: TransactionDocument) -> tuple[str, int, int]:
    return transaction.signature, transaction.slot, transaction.ordinal


async def all_vaults(generation: Generation, point: Point, known_at: int | None) -> dict[str, tuple[str, int, int]]:
    found = [state async for state in vaults_as_of(generation, point, known_at)]
    assert [state.vault for state in found] == sorted(state.vault for state in found)
    for state in found:
        assert await vault_as_of(generation, state.vault, point, known_at) == state
    return {state.vault: seen(state) for state in found}


@pytest.mark.parametrize("seed", range(6))
async def test_every_vault_is_as_all_facts_that_stood_then_make_it(
    models: ReadModelStore, events: IngestStore, seed: int
) -> None:
    append(events, disputed(seed))
    await follow(TRANSACTIONS, events, models, PACE._replace(batch=random.Random(seed).randint(1, 40)))
    generation, log = await live_generation(models, TRANSACTIONS), events.read_after(0, 10_000)
    last = events.last_position()
    for known_at in [None, 0, *random.Random(seed).sample(range(1, last), 12), last]:
        stood = stood_then(log, last if known_at is None else known_at)
        assert await all_vaults(generation, NOW, known_at) == expected(stood, lambda f: True)
        for slot in {0, *(f.slot for f in random.Random(seed).choices(stood, k=3) if stood)} if stood else {0}:
            found = await all_vaults(generation, at_slot(slot), known_at)
            assert found == expected(stood, lambda f, slot=slot: f.slot <= slot)
        for fact in stood[:: max(len(stood) // 3, 1)]:
            point = await at_signature(generation, fact.signature, known_at)
            assert point is not None
            until = (fact.slot, fact.transaction_index)
            found = await all_vaults(generation, point, known_at)
            assert found == expected(stood, lambda f, until=until: (f.slot, f.transaction_index) <= until)
    await generation.close()


async def test_as_of_a_time_is_after_everything_that_was_then_or_before(
    models: ReadModelStore, events: IngestStore
) -> None:
    facts = random_history(steps=200, vaults=5)
    append(events, facts)
    await follow(TRANSACTIONS, events, models)
    generation = await live_generation(models, TRANSACTIONS)
    events_ = [f for f in facts if isinstance(f, VaultFact)]
    for time_s in {events_[0].timestamp - 1, *(f.timestamp + by for f in events_[::20] for by in (-1, 0, 1))}:
        found = await all_vaults(generation, await at_time(generation, time_s), None)
        of_vaults = [f for f in facts if vaults_of(f)]
        assert found == expected(of_vaults, lambda f, time_s=time_s: f.timestamp <= time_s)
    await generation.close()


async def test_a_signature_that_nobody_knows_is_no_point(models: ReadModelStore, events: IngestStore) -> None:
    append(events, random_history(steps=20, vaults=2))
    await follow(TRANSACTIONS, events, models)
    generation = await live_generation(models, TRANSACTIONS)
    assert await at_signature(generation, "nobody knows", None) is None
    assert [state async for state in vaults_as_of(generation, at_slot(999), None)] == []
    await generation.close()
