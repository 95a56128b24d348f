"""What readers may ask of the read models: the only door of the API into this package."""

from typing import Protocol

from projections.answers import Answer, Gap, GenerationState, Meta, Page, PageStart, ProjectionState, Tvl
from projections.as_of import Moment
from projections.balance_snapshots import PERIODS_S, Period
from projections.documents import (
    BalanceSnapshotDocument,
    CoverageDocument,
    TransactionDocument,
    TvlDocument,
    VaultDocument,
)
from projections.lists import EVERYTHING, Order, ShownStatus, Wanted, status_of
from projections.open import check_url, open_store
from projections.replay import moment_s
from projections.store import State
from projections.store_read_models import StoreReadModels

__all__ = [
    "EVERYTHING",
    "PERIODS_S",
    "Answer",
    "Gap",
    "GenerationState",
    "Meta",
    "Moment",
    "Order",
    "Page",
    "PageStart",
    "Period",
    "ProjectionState",
    "ReadModels",
    "ShownStatus",
    "State",
    "StoreReadModels",
    "Tvl",
    "Wanted",
    "moment_s",
    "open_read_models",
    "status_of",
]


class ReadModels(Protocol):
    """Raises ReadModelsUnavailable when there is nothing to read yet or the store is out of reach, and
    GenerationGone for a page start whose generation was dropped (both in projections.errors)."""

    async def vault(self, address: str) -> Answer[VaultDocument | None]: ...

    async def vault_of_owner(self, owner: str) -> Answer[VaultDocument | None]: ...

    async def vaults(self, *, start: PageStart | None, limit: int, order: Order = "asc") -> Page[VaultDocument]:
        """By address."""

    async def transactions(
        self, vault: str | None, *, start: PageStart | None, limit: int, order: Order, wanted: Wanted = EVERYTHING
    ) -> Page[TransactionDocument]:
        """A vault's transactions in chain order, or all for None, with those that a fork dropped (`status`). A page of
        what is `wanted` may be short, or empty, and not be the last."""

    async def transactions_of(self, signature: str) -> Answer[list[TransactionDocument]]:
        """The same of one signature: every leg, in chain order, of each inclusion."""

    async def vault_as_of(self, vault: str, moment: Moment) -> Answer[TransactionDocument | None]:
        """The vault's last transaction that stood then: its balances are the vault's. None if there was none.

        Raises PointUnknown, KnownLater and BeyondCoverage, as the others of a moment."""

    async def vaults_as_of(self, moment: Moment, *, start: PageStart | None, limit: int) -> Page[TransactionDocument]:
        """The same of each vault that there was then, by address, rising."""

    async def tvl_as_of(self, moment: Moment) -> Answer[Tvl]:
        """What all vaults held together then: takes two seeks for each vault."""

    async def tvl(self) -> Answer[TvlDocument | None]:
        """What all vaults hold now, covered or not; None before the first."""

    async def tvl_history(
        self, *, start: PageStart | None, limit: int, order: Order, from_s: int = 0, through_s: int | None = None
    ) -> Page[TvlDocument]:
        """Settled minutes that begin within bounds, both included; where there is none, nothing has changed."""

    async def snapshots(
        self,
        vault: str,
        period: Period,
        *,
        start: PageStart | None,
        limit: int,
        order: Order = "desc",
        from_s: int = 0,
        through_s: int | None = None,
    ) -> Page[BalanceSnapshotDocument]:
        """Of periods that coverage has passed and that begin within bounds, both included; where there is none, nothing
        has changed."""

    async def coverage(self) -> Answer[list[CoverageDocument]]:
        """What is complete, and the gaps that are not closed, lowest first."""

    async def meta(self, projection: str) -> Meta:
        """Of the live generation of one projection."""

    async def states(self) -> list[ProjectionState]:
        """Of all projections. Raises ReadModelsUnavailable only where there is no store."""

    async def close(self) -> None: ...


def open_read_models(url: str) -> ReadModels:
    """Does not need them to exist yet. Raises ReadModelsUrlInvalid."""
    check_url(url)
    return StoreReadModels(lambda: open_store(url, create=False))
