"""What readers may ask of the read models: the only door of the API into this package."""

from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from projections.documents import TransactionDocument, VaultDocument

T = TypeVar("T")


class Meta(Struct, frozen=True, kw_only=True):
    """How complete an answer is."""

    slot: int | None
    """Highest slot of a fact that the projection has applied; None while there is none."""
    position: int
    """The checkpoint: facts of the store up to here are in the answer. 0 before the first."""
    generation: int
    complete_through_slot: int | None
    """Coverage that the projection has passed; what is newer is provisional. None before the first coverage."""
    updated_at: float
    """Unix seconds when the projector last said that it is alive."""


class Answer(NamedTuple, Generic[T]):
    data: T
    meta: Meta


class PageStart(NamedTuple):
    """Where the next page begins: after `key`, in the generation the walk began in."""

    generation: int
    key: tuple[str | int, ...]


class Page(NamedTuple, Generic[T]):
    items: list[T]
    next: PageStart | None
    """None at the end."""
    meta: Meta


class ReadModels(Protocol):
    """Raises ReadModelsUnavailable when there is nothing to read yet or the store is out of reach, and
    GenerationGone for a page start whose generation was dropped (both in projections.errors)."""

    async def vault(self, address: str) -> Answer[VaultDocument | None]: ...

    async def vault_of_owner(self, owner: str) -> Answer[VaultDocument | None]: ...

    async def vaults(self, *, start: PageStart | None, limit: int) -> Page[VaultDocument]:
        """By address, rising."""

    async def transactions(
        self, vault: str, *, start: PageStart | None, limit: int, order: Literal["asc", "desc"]
    ) -> Page[TransactionDocument]:
        """A vault's transactions in chain order."""

    async def meta(self, projection: str) -> Meta:
        """Of the live generation of one projection: "vaults" or "transactions"."""

    async def close(self) -> None: ...


# async def open_read_models(url: str) -> ReadModels   (to be written here: dispatches by URL scheme)
