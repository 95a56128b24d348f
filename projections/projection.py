"""What a projection is: a document, a collection, and a pure function. Storage and position live elsewhere, once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct, convert, structs

from eventstore.facts import Fact
from eventstore.port import StoredFact

AMOUNT_DIGITS = 20


@dataclass(frozen=True, kw_only=True)
class Projection:
    """`evolve` is given every fact of a document once, in order of position, and must end in the same document for
    any order in which facts arrive."""

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
    indexes: tuple[tuple[str, ...], ...]
    """Compound indexes, for equality on the first fields and order on the rest; `id` ends those that order."""
    amounts: frozenset[str]
    """Fields with u64 base units: 20-digit strings at rest, which sort right in every store."""
    not_in_digest: frozenset[str] = frozenset()
    """Fields that depend on the order of arrival."""


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
