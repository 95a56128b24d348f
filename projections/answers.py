"""What readers are answered with: documents, and how complete the answer is."""

from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct

from projections.store import State

T = TypeVar("T")


class Gap(NamedTuple):
    """Slots, the last included, that the event store cannot answer for."""

    from_slot: int
    through_slot: int


class Meta(Struct, frozen=True, kw_only=True):
    """How complete an answer is."""

    slot: int | None
    """Highest slot of a fact that the projection has applied; None while there is none."""
    position: int
    """The checkpoint: facts of the store up to here are in the answer. 0 before the first."""
    generation: int
    complete_through_slot: int | None
    """Coverage that this projection and `coverage` have passed; what is newer is provisional. None before the first."""
    updated_at: float
    """Unix seconds when the projector last said that it is alive."""
    complete_through_time: int | None = None
    """The highest block time of coverage that was passed, Unix seconds."""
    degraded: tuple[str, ...] = ()
    """Vaults that stand still: an event of theirs could not be applied, and waits for an operator."""
    accepted_gaps: tuple[Gap, ...] = ()
    """Below that coverage, or the point that was asked for; an operator has accepted that they are there."""


class GenerationState(Struct, frozen=True, kw_only=True):
    number: int
    state: State
    since_s: float
    """Unix seconds of when it got into this state."""


class ProjectionState(Struct, frozen=True, kw_only=True):
    """Of one projection."""

    name: str
    generations: tuple[GenerationState, ...]
    paused: bool
    """An operator wants it to apply nothing."""
    meta: Meta | None
    """Of the live generation; None while there is none."""


class Tvl(Struct, frozen=True, kw_only=True):
    """What all vaults hold together, base units."""

    total_balance: int
    locked_balance: int
    vault_count: int


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
