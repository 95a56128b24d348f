"""Changes of the catalog: each is tried again if another process was first."""

from collections.abc import Callable

from projections.errors import CatalogMoved
from projections.store import Catalog, ReadModelStore

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
