"""Changes of the catalog: each is tried again if another process was first."""

import time
from collections.abc import Callable

from projections.errors import CatalogMoved
from projections.projection import Projection
from projections.store import Catalog, GenerationEntry, ReadModelStore

TRIES = 20


async def change_catalog(store: ReadModelStore, change: Callable[[Catalog], Catalog | None]) -> Catalog:
    """Replaces the catalog by what `change` makes of it; None leaves it. Raises CatalogMoved in the end."""
    for _ in range(TRIES):
        catalog = await store.catalog()
        new = change(catalog)
        if new is None:
            return catalog
        try:
            await store.replace_catalog(new)
        except CatalogMoved:
            continue
        return new
    raise CatalogMoved


async def begin_generation(store: ReadModelStore, projection: Projection) -> int:
    """The number of a new one, which is nobody else's: it is in the catalog before there is anything of it."""
    name = projection.name

    def add(catalog: Catalog) -> Catalog:
        number = catalog.next_number(name)
        new = GenerationEntry(number=number, version=projection.version, state="building", since_s=time.time())
        return catalog.with_generations(name, [*catalog.of(name), new])

    return (await change_catalog(store, add)).of(name)[-1].number
