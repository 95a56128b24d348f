"""One number for a collection's content: the same for the same facts, in whatever order they arrived."""

import asyncio
from hashlib import blake2b

import msgspec

from projections.errors import GenerationDamaged
from projections.projection import Projection, at_rest
from projections.store import Generation, Query

PAGE = 2_000


async def digest(projection: Projection, generation: Generation) -> str:
    """blake2b-256, hexadecimal, over the documents by id, each as JSON with sorted keys and a newline.

    Without what depends on arrival: positions, recorded times, the generation. Raises GenerationDamaged.
    """
    hashed = blake2b(digest_size=32)
    after: tuple[str, ...] | None = None
    while page := await generation.find(Query({}, ("id",), after, False, PAGE)):
        for row in page:
            fields = at_rest(projection, row.document)
            for name in projection.not_in_digest:
                del fields[name]
            hashed.update(msgspec.json.encode(fields, order="sorted") + b"\n")
        if after is not None and page[-1].id <= after[0]:
            raise GenerationDamaged(f"a generation of {projection.name}", projection.name, "its ids do not rise")
        after = (page[-1].id,)
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip
    return hashed.hexdigest()
