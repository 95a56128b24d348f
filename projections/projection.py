"""What a projection is: a document, a collection, and a pure function. Storage and position live elsewhere, once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec import Struct, convert, structs

from eventstore.facts import Fact
from eventstore.identity import key_of, key_text
from eventstore.port import StoredFact
from eventstore.standing import State
from projections.errors import Unprojectable

AMOUNT_DIGITS = 20


class Fallen(NamedTuple):
    """What became of a fact of a contested signature; it may stand all the same."""

    state: State
    turns: tuple[int, ...]
    """Positions at which it began to stand, ceased to, began again, and so on."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """`evolve` is given every standing fact of a document once, and must end in the same document for any order.

    Where a fact may stand no more, or again, its documents are mended in one of three ways: by `judge` if they are of
    one fact each, from the history of the vault that `vault_of` names, or by `without` if they are sums.
    """

    name: str
    """Of the collection as well."""
    version: int
    """Raised when `evolve` or the document changes; a generation is written by the version that began it."""
    document: type[Struct]
    touches: Callable[[Fact], tuple[str, ...]]
    """The ids of the documents that a fact changes."""
    evolve: Callable[[Any, str, StoredFact], Any]
    """(document or None, its id, fact) to the document."""
    accumulates: bool
    """A document is made of more than one fact."""
    judge: Callable[[Any, Fallen], Any] | None = None
    """(what `evolve` makes of the fact, what became of that) to the document."""
    vault_of: Callable[[str], str] | None = None
    """The vault whose facts a document is made of, of its id: a fact that cannot be applied stops that vault only."""
    without: Callable[[Any, StoredFact], Any] | None = None
    """(document, fact) to the document without it, or None if nothing is left."""
    settle: Callable[[Any, Any], Any] | None = None
    """(settled document of an earlier minute or None, document of a minute that coverage has passed) to that, settled:
    for documents with a `minute`."""
    is_chained: bool = False
    """Each document is of one fact and has the `hash` of the hash chain at its `recorded_position`."""
    indexes: tuple[tuple[str, ...], ...]
    """Compound indexes, for equality on the first fields and order on the rest; `id` ends those that order."""
    amounts: frozenset[str]
    """Fields with u64 base units: 20-digit strings at rest, which sort right in every store."""
    share: int = 0
    """How much of a rebuild of all it takes, in per cent, roughly: by that it is shared among workers."""
    not_in_digest: frozenset[str] = frozenset()
    """Fields that depend on the order of arrival."""
    in_digest: Callable[[Any], bool] | None = None
    """Which documents are, if not all: those that every store of the same chain has."""

    def evolved(self, document: Any, id_: str, stored: StoredFact) -> Any:
        """What `evolve` makes of it. Raises Unprojectable."""
        try:
            return self.evolve(document, id_, stored)
        except Exception as error:  # whatever it is, it is of this fact: the others are not to stop
            vault = self.vault_of(id_) if self.vault_of is not None else None
            key = key_text(key_of(stored.fact))
            raise Unprojectable(self.name, vault, stored.position, key, repr(error)) from error

    @property
    def can_fall(self) -> bool:
        """Whether it takes facts that a fork or a better decoder can take back."""
        return self.judge is not None or self.vault_of is not None or self.without is not None


def at_rest(projection: Projection, document: Struct) -> dict[str, Any]:
    fields = structs.asdict(document)
    for name in projection.amounts:
        fields[name] = str(fields[name]).zfill(AMOUNT_DIGITS)
    return fields


def value_at_rest(projection: Projection, name: str, value: Any) -> Any:
    """One field's, as `at_rest` has it."""
    return str(value).zfill(AMOUNT_DIGITS) if name in projection.amounts else value


def from_rest(projection: Projection, fields: dict[str, Any]) -> Any:
    """Raises TypeError or ValueError where the fields make no document."""
    for name in projection.amounts & fields.keys():
        fields[name] = int(fields[name])
    return convert(fields, projection.document)
