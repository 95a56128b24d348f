"""An event that cannot be applied stops its vault and nothing else, until it can be, or is given up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from eventstore.facts import CollateralTransferred, Deposited, EventDiscarded, Fact, TransactionReverted, VaultFact
from eventstore.identity import key_of, key_text, vaults_of
from eventstore.port import IngestStore, StoredFact
from projections.balance_snapshots import BALANCE_SNAPSHOTS
from projections.errors import Unprojectable
from projections.fold import apply_batch, retry_parked
from projections.projection import Projection
from projections.store import Checkpoint, Generation, Parked, ReadModelStore
from projections.transactions import TRANSACTIONS, document_id
from projections.tvl_stats import TVL_STATS
from projections.vaults import VAULTS
from projections.verify import verify
from tests.unit.projections.following import PACE, append, follow, live_generation, proved_digest, rebuild
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=400, vaults=7)
OF_VAULTS = pytest.mark.parametrize("projection", [VAULTS, TRANSACTIONS, BALANCE_SNAPSHOTS], ids=lambda p: p.name)
POISON = next(f for f in FACTS[150:] if isinstance(f, Deposited))
TRANSFER = next(f for f in FACTS[150:] if isinstance(f, CollateralTransferred))


def broken(projection: Projection, is_poison: Callable[[Fact, str], bool]) -> Projection:
    """Does not understand some facts of some vaults."""

    def evolve(document: Any, id_: str, stored: StoredFact) -> Any:
        assert projection.vault_of is not None
        if is_poison(stored.fact, projection.vault_of(id_)):
            raise KeyError("poison")
        return projection.evolve(document, id_, stored)

    return replace(projection, evolve=evolve)


def poisoned(projection: Projection, poison: Fact = POISON, vault: str = POISON.vault) -> Projection:
    return broken(projection, lambda fact, of: (fact, of) == (poison, vault))


def discard(projection: Projection, event: Deposited | CollateralTransferred, vault: str) -> EventDiscarded:
    return EventDiscarded(
        signature=event.signature,
        slot=event.slot,
        key=key_text(key_of(event)),
        vault=vault,
        projection=projection.name,
        operator="somebody",
        reason="why not",
    )


async def parked_of(models: ReadModelStore, projection: Projection) -> tuple[Parked, ...]:
    generation = await live_generation(models, projection)
    checkpoint = await generation.checkpoint()
    await generation.close()
    return checkpoint.parked


async def of_vaults(generation: Generation, projection: Projection, events: IngestStore) -> dict[str, list[Any]]:
    """Rows by vault."""
    assert projection.vault_of is not None
    ids = {id_ for stored in events.read_after(0, 10_000) for id_ in projection.touches(stored.fact)}
    rows: dict[str, list[Any]] = {}
    for id_, row in sorted((await generation.get(sorted(ids))).items()):
        rows.setdefault(projection.vault_of(id_), []).append(row.document)
    return rows


@OF_VAULTS
@pytest.mark.parametrize("batch", [1, 30, 10_000])
async def test_a_vault_waits_from_the_event_on_that_cannot_be_applied_and_all_others_go_on(
    models: ReadModelStore, events: IngestStore, projection: Projection, batch: int
) -> None:
    before = FACTS[: FACTS.index(POISON)]
    append(events, before)
    await follow(projection, events, models)
    generation = await live_generation(models, projection)
    frozen = (await of_vaults(generation, projection, events))[POISON.vault]
    append(events, FACTS[len(before) :])
    await follow(poisoned(projection), events, models, PACE._replace(batch=batch))
    (parked,) = await parked_of(models, projection)
    assert (parked.vault, parked.position, parked.reason) == (POISON.vault, len(before) + 1, "KeyError('poison')")
    assert parked.key == key_text(key_of(POISON))
    found = await of_vaults(generation, projection, events)
    assert found[POISON.vault] == frozen
    await retry_parked(generation, projection, events, await generation.checkpoint(), 1)
    whole = await of_vaults(generation, projection, events)
    assert {v: rows for v, rows in whole.items() if v != POISON.vault} == {
        v: rows for v, rows in found.items() if v != POISON.vault
    }
    await generation.close()
    assert await parked_of(models, projection) == ()
    assert await proved_digest(projection, events, models) == (await rebuild(projection, events, models)).digest


async def test_of_a_transfer_the_other_leg_applies(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    await follow(poisoned(TRANSACTIONS, TRANSFER, TRANSFER.from_vault), events, models)
    generation = await live_generation(models, TRANSACTIONS)
    legs = [document_id(TRANSFER, vault) for vault in (TRANSFER.from_vault, TRANSFER.to_vault)]
    assert list(await generation.get(legs)) == [legs[1]]
    await generation.close()
    assert [one.vault for one in await parked_of(models, TRANSACTIONS)] == [TRANSFER.from_vault]


async def test_what_still_cannot_be_applied_stays_parked(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    await follow(poisoned(VAULTS), events, models)
    before = await parked_of(models, VAULTS)
    generation = await live_generation(models, VAULTS)
    again = await retry_parked(generation, poisoned(VAULTS), events, await generation.checkpoint(), 5)
    assert ([p.position for p in again.parked], again.retried) == ([p.position for p in before], 5)
    await generation.close()


@OF_VAULTS
@pytest.mark.parametrize("batch", [1, 10_000])
async def test_an_event_that_was_given_up_is_left_out_of_that_vault_and_projection_by_rebuilds_too(
    models: ReadModelStore, events: IngestStore, projection: Projection, batch: int
) -> None:
    append(events, FACTS)
    cannot = poisoned(projection)
    await follow(cannot, events, models, PACE._replace(batch=batch))
    append(events, [discard(projection, POISON, POISON.vault)])
    await follow(cannot, events, models, PACE._replace(batch=batch))
    assert await parked_of(models, projection) == ()
    generation = await live_generation(models, projection)
    await verify(projection, events, generation, events.last_position(), lambda done, of: None)
    await generation.close()
    digest = await proved_digest(projection, events, models)
    assert (await rebuild(cannot, events, models, batch=batch)).digest == digest


async def test_what_was_given_up_in_one_projection_is_applied_in_the_others(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    untouched = (await rebuild(TRANSACTIONS, events, models)).digest
    append(events, [discard(VAULTS, POISON, POISON.vault)])
    assert (await rebuild(TRANSACTIONS, events, models)).digest == untouched


@OF_VAULTS
async def test_a_rebuild_does_not_go_round_an_event_that_cannot_be_applied(
    models: ReadModelStore, events: IngestStore, projection: Projection
) -> None:
    append(events, FACTS)
    await follow(projection, events, models)
    with pytest.raises(Unprojectable, match=rf"fact at position {FACTS.index(POISON) + 1} cannot be applied to vault"):
        await rebuild(poisoned(projection), events, models)
    live = (await models.catalog()).live(projection.name)
    assert live is not None
    assert live.number == 1


async def test_more_vaults_than_anybody_would_look_at_stop_the_projector(
    models: ReadModelStore, events: IngestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.fold.PARKED_MAX", 3)
    append(events, FACTS)
    generation = await models.create_generation(VAULTS, 1)
    cannot = broken(VAULTS, lambda fact, vault: isinstance(fact, VaultFact))
    with pytest.raises(Unprojectable):
        await apply_batch(generation, cannot, events, events.read_after(0, 1_000), Checkpoint(), parks=True)
    assert await generation.checkpoint() == Checkpoint()
    await generation.close()


async def test_a_projection_whose_documents_are_no_vaults_never_parks(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)
    generation = await models.create_generation(TVL_STATS, 1)

    def cannot(document: Any, id_: str, stored: StoredFact) -> Any:
        raise KeyError("poison")

    broken_ = replace(TVL_STATS, evolve=cannot)
    with pytest.raises(Unprojectable, match="cannot be applied to it"):
        await apply_batch(generation, broken_, events, events.read_after(0, 1_000), Checkpoint(), parks=True)
    await generation.close()


async def test_a_vault_that_waits_is_mended_when_what_stopped_it_is_reverted(
    models: ReadModelStore, events: IngestStore
) -> None:
    """Not at once: when it is tried again."""
    assert vaults_of(POISON) == (POISON.vault,)
    append(events, FACTS)
    await follow(poisoned(VAULTS), events, models)
    append(events, [TransactionReverted(signature=POISON.signature, slot=POISON.slot, times=1, blockhash=None)])
    await follow(poisoned(VAULTS), events, models)
    assert len(await parked_of(models, VAULTS)) == 1
    generation = await live_generation(models, VAULTS)
    await retry_parked(generation, poisoned(VAULTS), events, await generation.checkpoint(), 1)
    await generation.close()
    assert await parked_of(models, VAULTS) == ()
    await proved_digest(VAULTS, events, models)
