"""A store that goes round in circles, as a damaged index makes it, is noticed, not followed for ever."""

from typing import Any

import pytest

from eventstore.errors import FactUnreadable
from eventstore.port import FactOfVault, IngestStore, StoredFact
from projections.digest import digest
from projections.errors import CheckpointUnknown, GenerationDamaged, VaultIndexDiffers
from projections.projector import check_identity
from projections.store import Checkpoint, Query, ReadModelStore, Row
from projections.vaults import VAULTS
from tests.unit.projections.following import append, live_generation, proved_digest, rebuild
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=200, vaults=5)


class Wrapped:
    """Something with one of its methods replaced; the rest is its own."""

    def __init__(self, wrapped: object) -> None:
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


async def test_positions_that_do_not_rise_end_a_rebuild(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)

    class Circles(Wrapped):
        def read_after(self, position: int, limit: int) -> list[StoredFact]:
            return events.read_after(position if position < 60 else 20, limit)

    facts: Any = Circles(events)
    with pytest.raises(FactUnreadable, match=r"the fact at position 21 .*it comes after position 60"):
        await rebuild(VAULTS, facts, models, batch=20)
    assert (await models.catalog()).live("vaults") is None


async def test_an_index_by_vault_that_names_a_fact_twice_fails_the_verification(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, FACTS)

    class Twice(Wrapped):
        def read_by_vault(self, **asked: Any) -> list[FactOfVault]:
            found = events.read_by_vault(**asked)
            last = [place for place in found if place.vault == "vault-0002"][-1:]
            return sorted(found + last, key=lambda place: place.vault)

    facts: Any = Twice(events)
    with pytest.raises(VaultIndexDiffers, match="for 'vault-0002' the event store's index by vault names a fact twice"):
        await rebuild(VAULTS, facts, models)
    assert (await models.catalog()).live("vaults") is None


@pytest.mark.parametrize("through", [1, 2, 3, 500])
async def test_histories_longer_than_a_page_are_verified_whole(
    models: ReadModelStore, events: IngestStore, through: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.told.PAGE", through)
    monkeypatch.setattr("projections.verify.DOCUMENTS_AT_ONCE", through)
    append(events, FACTS)
    assert (await rebuild(VAULTS, events, models)).digest == await proved_digest(VAULTS, events, models)


async def test_ids_that_do_not_rise_end_a_digest(models: ReadModelStore, events: IngestStore) -> None:
    append(events, FACTS)
    await rebuild(VAULTS, events, models)
    generation = await live_generation(models, VAULTS)

    class Circles(Wrapped):
        async def find(self, query: Query) -> list[Row]:
            return await generation.find(query._replace(after=None, limit=3))

    circles: Any = Circles(generation)
    with pytest.raises(GenerationDamaged, match="its ids do not rise"):
        await digest(VAULTS, circles)
    await generation.close()


async def test_a_checkpoint_without_its_fact_is_not_believed(events: IngestStore) -> None:
    append(events, FACTS)
    with pytest.raises(CheckpointUnknown, match="position 7"):
        check_identity(VAULTS, events, Checkpoint(position=7))
    check_identity(VAULTS, events, Checkpoint())
