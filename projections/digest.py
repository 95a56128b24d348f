"""One number for a collection's content: the same for the same facts, in whatever order they arrived."""

import asyncio
from hashlib import blake2b

import msgspec

from projections.projection import Projection, at_rest
from projections.store import Generation, Query

PAGE = 2_000


async def digest(projection: Projection, generation: Generation) -> str:
    """blake2b-256, hexadecimal, over the documents by id, each as JSON with sorted keys and a newline.

    Without what depends on arrival: positions, recorded times, the generation.
    """
    hashed = blake2b(digest_size=32)
    after: tuple[str, ...] | None = None
    while page := await generation.find(Query({}, ("id",), after, False, PAGE)):
        for row in page:
            fields = {k: v for k, v in at_rest(projection, row.document).items() if k not in projection.not_in_digest}
            hashed.update(msgspec.json.encode(fields, order="sorted") + b"\n")
        after = (page[-1].id,)
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip
    return hashed.hexdigest()
