"""Reverts, reinstatements, better decodes and second inclusions, while a projector follows and readers look."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from eventstore.facts import (
    CoverageAdvanced,
    Deposited,
    Fact,
    TransactionReinstated,
    TransactionReverted,
    VaultInitialized,
)
from eventstore.port import FactOfVault, IngestStore, StoredFact
from projections.documents import TransactionDocument, VaultDocument
from projections.errors import ContestedIndexDiffers
from projections.read_models import StoreReadModels
from projections.registry import PROJECTIONS
from projections.store import ReadModelStore
from projections.transactions import TRANSACTIONS
from projections.vaults import VAULTS
from tests.contract.projections.conftest import Opener
from tests.unit.projections.following import append, follow, live_generation, proved_digest, rebuild
from tests.unit.projections.histories import Ledger, Step


def made() -> tuple[VaultInitialized, Deposited, Deposited]:
    opened, first, second = Ledger(vaults=1).take(Step("deposit", 0, 0, amount, False) for amount in (5, 7))
    assert isinstance(opened, VaultInitialized)
    assert isinstance(first, Deposited)
    assert isinstance(second, Deposited)
    return opened, first, second


OPEN, FIRST, SECOND = made()
VAULT = OPEN.vault
REVERTED = TransactionReverted(signature=SECOND.signature, slot=SECOND.slot, times=1, blockhash=None)
REINSTATED = TransactionReinstated(signature=SECOND.signature, slot=SECOND.slot, times=1)


class Seen:
    """Appends, follows, and looks as a reader does."""

    def __init__(self, events: IngestStore, models: ReadModelStore, open_models: Opener) -> None:
        self._events, self._models, self._open = events, models, open_models

    async def after(self, *facts: Fact) -> tuple[VaultDocument | None, list[TransactionDocument]]:
        append(self._events, facts)
        for projection in PROJECTIONS.values():
            await follow(projection, self._events, self._models)
            await proved_digest(projection, self._events, self._models)
        reader = StoreReadModels(self._open)
        page = await reader.transactions(VAULT, start=None, limit=100, order="asc")
        vault = (await reader.vault(VAULT)).data
        await reader.close()
        return vault, page.items


@pytest.fixture
async def seen(events: IngestStore, models: ReadModelStore, open_models: Opener) -> Seen:
    return Seen(events, models, open_models)


def balances(vault: VaultDocument | None) -> tuple[int, int, int] | None:
    return (vault.total_balance, vault.deposited_total, vault.deposit_count) if vault else None


def told(transactions: Sequence[TransactionDocument]) -> list[tuple[int, str, int | None]]:
    return [(t.amount, t.status, t.reverted_position) for t in transactions]


async def test_what_a_reverted_inclusion_said_is_told_and_not_in_the_balances(seen: Seen) -> None:
    vault, said = await seen.after(OPEN, FIRST, SECOND)
    assert (balances(vault), told(said)[1:]) == ((12, 12, 2), [(5, "standing", None), (7, "standing", None)])
    vault, said = await seen.after(REVERTED)
    assert (balances(vault), told(said)[1:]) == ((5, 5, 1), [(5, "standing", None), (7, "reverted", 4)])
    assert vault is not None
    assert vault.last_signature == FIRST.signature
    vault, said = await seen.after(REINSTATED)
    assert (balances(vault), told(said)[1:]) == ((12, 12, 2), [(5, "standing", None), (7, "standing", None)])
    assert said[-1].turns == (3, 4, 5)
    vault, said = await seen.after(replace(REVERTED, times=2))
    assert (balances(vault), told(said)[1:]) == ((5, 5, 1), [(5, "standing", None), (7, "reverted", 6)])


async def test_a_vault_of_which_all_is_reverted_is_there_no_more_and_comes_back(
    seen: Seen, events: IngestStore, models: ReadModelStore
) -> None:
    await seen.after(replace(OPEN, signature="one", slot=1_000), replace(FIRST, signature="one", slot=1_000))
    vault, said = await seen.after(replace(REVERTED, signature="one", slot=1_000))
    assert vault is None
    assert [t.status for t in said] == ["reverted", "reverted"]
    generation = await live_generation(models, VAULTS)
    assert await generation.count() == 0
    await generation.close()
    assert (await rebuild(VAULTS, events, models)).digest == await proved_digest(VAULTS, events, models)
    vault, _ = await seen.after(SECOND)
    assert balances(vault) == (12, 7, 1), "what was reverted is not in the sums of what comes later"
    vault, _ = await seen.after(replace(REINSTATED, signature="one", slot=1_000))
    assert balances(vault) == (12, 12, 2)


async def test_a_better_decode_stands_as_a_whole_and_nobody_is_told_of_the_one_before(seen: Seen) -> None:
    await seen.after(OPEN, FIRST, SECOND)
    vault, said = await seen.after(replace(SECOND, revision=1, amount=6, total_balance=11, available_balance=11))
    assert (balances(vault), told(said)[1:]) == ((11, 11, 2), [(5, "standing", None), (6, "standing", None)])
    vault, said = await seen.after(REVERTED)
    assert (balances(vault), told(said)[1:]) == ((5, 5, 1), [(5, "standing", None), (6, "reverted", 5)])


async def test_of_two_inclusions_the_higher_stands_until_the_lower_is_final(seen: Seen) -> None:
    await seen.after(OPEN, FIRST, SECOND)
    moved = replace(SECOND, slot=SECOND.slot + 20, amount=6, total_balance=11, available_balance=11)
    vault, said = await seen.after(moved)
    assert (balances(vault), told(said)[1:]) == ((11, 11, 2), [(5, "standing", None), (6, "standing", None)])
    final = CoverageAdvanced(through_slot=SECOND.slot + 1, block_time=None, blockhash=None)
    vault, said = await seen.after(final)
    assert (balances(vault), told(said)[1:]) == ((12, 12, 2), [(5, "standing", None), (7, "standing", None)])
    vault, said = await seen.after(replace(REVERTED, slot=moved.slot))
    assert told(said)[1:] == [(5, "standing", None), (7, "standing", None), (6, "reverted", 5)]


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
async def test_whatever_the_batches_a_rebuild_ends_as_following_does(
    seen: Seen, events: IngestStore, models: ReadModelStore, batch: int
) -> None:
    moved = replace(SECOND, slot=SECOND.slot + 20)
    await seen.after(REVERTED, OPEN, FIRST, REINSTATED, replace(SECOND, revision=1), SECOND, moved)
    for projection in PROJECTIONS.values():
        digest = await proved_digest(projection, events, models)
        assert (await rebuild(projection, events, models, batch=batch)).digest == digest


@pytest.mark.parametrize("lost", ["revert", "second inclusion"])
async def test_an_index_of_contested_signatures_that_lacks_one_fails_the_verification(
    seen: Seen, events: IngestStore, models: ReadModelStore, lost: str
) -> None:
    await seen.after(OPEN, FIRST, SECOND, REVERTED if lost == "revert" else replace(SECOND, slot=SECOND.slot + 20))

    class Lacking:
        def __getattr__(self, name: str) -> Any:
            return getattr(events, name)

        def contested_between(self, after: int, through: int) -> list[str]:
            return []

        def read_by_vault(self, **asked: Any) -> list[FactOfVault]:
            return [place._replace(is_contested=False) for place in events.read_by_vault(**asked)]

        def read_contested(self, signature: str, *, through_position: int) -> list[StoredFact]:
            return []

    facts: Any = Lacking()
    with pytest.raises(ContestedIndexDiffers, match="nothing was flipped: the event store's index of contested"):
        await rebuild(TRANSACTIONS, facts, models)
    live = (await models.catalog()).live("transactions")
    assert live is not None
    assert live.number == 1
