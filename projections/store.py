"""What projectors and readers ask of a store of read models, whatever it is kept in.

No transactions over several documents are needed: documents carry the position that they include, the checkpoint is
written last and by compare-and-set, and so is the one catalog document.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Protocol

from msgspec import Meta, Struct, structs

from projections.projection import Projection

Value = str | int
State = Literal["building", "ready", "live", "kept"]
Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number = Annotated[int, Meta(ge=0, le=2**53)]
"""Of a generation or a revision; exact in every JSON."""


class Row(NamedTuple):
    """A document with the position of the last fact in it."""

    id: str
    position: int
    document: Any
    """None if nothing is left of it: all its facts were reverted. Only `get` tells of such."""


class Parked(Struct, frozen=True, kw_only=True):
    """A vault that waits: one of its facts could not be applied."""

    vault: str
    position: Position
    """Of that fact; from there on the vault's facts wait."""
    key: str
    """Identity of that fact."""
    reason: str
    since_s: float
    """Unix seconds."""


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a generation is."""

    position: Position = 0
    key: str | None = None
    """Identity of the fact at that position; None before the first."""
    slot: int | None = None
    """Highest slot of a fact that was applied."""
    complete_through_slot: int | None = None
    """Last coverage that was passed."""
    complete_through_time: int | None = None
    """The highest block time of coverage that was passed, Unix seconds."""
    as_of: Position | None = None
    """While a rebuild loads: the position at which is judged what stands, from the first fact on."""
    parked: tuple[Parked, ...] = ()
    retried: int = 0
    """Number of the operator's last wish to retry what is parked that was met."""
    chain_hash: str | None = None
    """Of the store's hash chain at that position, hexadecimal, where the projection keeps it."""
    epoch: int = 0
    """Raised to take the checkpoint over: who then still holds the old one can write no more."""


class GenerationEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    number: Number
    version: int
    """Of the projection that writes it."""
    state: State
    """`ready` is proved and not flipped to; `kept` was live, and is followed until its grace is over."""
    since_s: float
    """Unix seconds of when it got into this state."""


class Control(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator wants of a projection's projector."""

    paused: str | None = None
    """Why it is to apply nothing."""
    retry: Number = 0
    """Raised to have what is parked tried again."""


class Catalog(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The one document that says which generation is live; a change of it is seen whole or not at all."""

    revision: Number = 0
    generations: dict[str, tuple[GenerationEntry, ...]] = {}
    """By projection, rising."""
    highest: dict[str, Number] = {}
    """Number that was ever given, by projection: none is given again to what somebody else may still drop or write."""
    controls: dict[str, Control] = {}

    def __post_init__(self) -> None:
        for name, entries in self.generations.items():
            numbers = [entry.number for entry in entries]
            if numbers != sorted(set(numbers)):
                raise ValueError(f"the generations of {name!r} do not rise: {numbers}")
            if sum(entry.state == "live" for entry in entries) > 1:
                raise ValueError(f"more than one generation of {name!r} is live")

    def of(self, projection: str) -> tuple[GenerationEntry, ...]:
        return self.generations.get(projection, ())

    def live(self, projection: str) -> GenerationEntry | None:
        return next((g for g in self.of(projection) if g.state == "live"), None)

    def entry(self, projection: str, number: int) -> GenerationEntry | None:
        return next((g for g in self.of(projection) if g.number == number), None)

    def next_number(self, projection: str) -> int:
        return max(self.highest.get(projection, 0), *(g.number for g in self.of(projection)), 0) + 1

    def with_generations(self, projection: str, entries: Sequence[GenerationEntry]) -> "Catalog":
        generations = {**self.generations, projection: tuple(entries)}
        new = structs.replace(self, revision=self.revision + 1, generations=generations)
        highest = max(self.next_number(projection), new.next_number(projection)) - 1
        return structs.replace(new, highest={**self.highest, projection: highest})

    def control(self, projection: str) -> Control:
        return self.controls.get(projection, Control())

    def with_control(self, projection: str, control: Control) -> "Catalog":
        return structs.replace(self, revision=self.revision + 1, controls={**self.controls, projection: control})


class Query(NamedTuple):
    """Equality on some fields, order by others, and where to go on; all by one of the projection's indexes."""

    where: Mapping[str, Value]
    order: tuple[str, ...]
    after: tuple[Value, ...] | None
    """Values of the order fields of the last document before the page."""
    descending: bool
    limit: int


class Generation(Protocol):
    """One projection's documents, in one generation."""

    async def get(self, ids: Sequence[str]) -> dict[str, Row]: ...

    async def find(self, query: Query) -> list[Row]: ...

    async def count(self) -> int: ...

    async def checkpoint(self) -> Checkpoint: ...

    async def heartbeat_s(self) -> float:
        """Unix seconds when a projector last said that it is alive; 0 if never."""

    async def beat(self, now_s: float) -> None: ...

    async def apply(self, rows: Sequence[Row], held: Checkpoint, new: Checkpoint) -> None:
        """Replaces documents, none by one of a lower position, then the checkpoint; raises CheckpointMoved unless it
        is still `held`. Rows may become visible before the checkpoint does."""

    async def create_indexes(self) -> None:
        """May be called after a load; until then `find` may be slow."""

    async def close(self) -> None: ...


class ReadModelStore(Protocol):
    async def catalog(self) -> Catalog: ...

    async def replace_catalog(self, new: Catalog) -> None:
        """By compare-and-set on the revision before; raises CatalogMoved."""

    async def create_generation(self, projection: Projection, number: int) -> Generation:
        """Empty, whatever a process that died had left under this number."""

    async def open_generation(self, projection: Projection, number: int) -> Generation:
        """Raises GenerationGone."""

    async def drop_generation(self, projection: Projection, number: int) -> None:
        """Nothing happens if there is none."""

    def hold(self, what: str, holder: str) -> None:
        """Takes the exclusive right to `what` until the process ends or close(); raises ProjectorRunning."""

    async def close(self) -> None: ...
