"""One number for a collection's content: the same for the same facts, in whatever order they arrived."""

import asyncio
from hashlib import blake2b

import msgspec
from msgspec import structs

from projections.errors import GenerationDamaged
from projections.projection import Projection
from projections.store import Generation, Query

PAGE = 2_000
BITS = 256


class Digest:
    """Of documents in any order: the sum, modulo 2^256, of each one's blake2b-256, as JSON in the order of its fields.

    What depends on arrival is left blank: positions, recorded times, hashes; the generation is in none; of the audit
    log there is what the chain said. It tells honest copies apart; what somebody may have forged is for the hash chain
    to tell.
    """

    def __init__(self, projection: Projection) -> None:
        self._sum, self._blank = 0, dict.fromkeys(projection.not_in_digest)
        self._is_in = projection.in_digest
        self._encode = msgspec.json.Encoder().encode

    def add(self, document: msgspec.Struct) -> None:
        if self._is_in is not None and not self._is_in(document):
            return
        if self._blank:
            document = structs.replace(document, **self._blank)
        self._sum += int.from_bytes(blake2b(self._encode(document), digest_size=BITS // 8).digest(), "big")

    def __str__(self) -> str:
        return f"{self._sum % 2**BITS:0{BITS // 4}x}"


async def digest(projection: Projection, generation: Generation) -> str:
    """Hexadecimal, of all documents. Raises GenerationDamaged."""
    found = Digest(projection)
    after: tuple[str, ...] | None = None
    while page := await generation.find(Query({}, ("id",), after, False, PAGE)):
        for row in page:
            found.add(row.document)
        if after is not None and page[-1].id <= after[0]:
            raise GenerationDamaged(f"a generation of {projection.name}", projection.name, "its ids do not rise")
        after = (page[-1].id,)
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip
    return str(found)
