"""Changes of the catalog: each is tried again if another process was first."""

import time
from collections.abc import Callable

from msgspec import structs

from projections.errors import CatalogMoved
from projections.projection import Projection
from projections.store import Catalog, GenerationEntry, ReadModelStore, State

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


async def set_state(store: ReadModelStore, projection: str, number: int, state: State) -> Catalog:
    """Of a generation that is still there; one that is in that state stays as it is."""

    def change(catalog: Catalog) -> Catalog | None:
        entry = catalog.entry(projection, number)
        if entry is None or entry.state == state:
            return None
        new = structs.replace(entry, state=state, since_s=time.time())
        return catalog.with_generations(projection, [new if e == entry else e for e in catalog.of(projection)])

    return await change_catalog(store, change)
