"""The live generation, opened."""

from projections.errors import GenerationGone, LiveGenerationLost
from projections.projection import Projection
from projections.store import Generation, ReadModelStore


async def open_live(store: ReadModelStore, projection: Projection, number: int) -> Generation:
    """Raises LiveGenerationLost: that it is gone is nothing that a flip has done."""
    try:
        return await store.open_generation(projection, number)
    except GenerationGone as gone:
        raise LiveGenerationLost(projection.name, number) from gone
