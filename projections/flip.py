"""From the live generation to another in one step, so that no reader goes back."""

import time
from collections.abc import Callable

import structlog
from msgspec import structs

from projections.errors import CatalogMoved, CheckpointMoved, GenerationDamaged, GenerationGone
from projections.loading import Loading
from projections.store import Catalog, Generation, GenerationEntry, ReadModelStore

FLIP_TRIES = 20
log = structlog.get_logger()


async def flip(store: ReadModelStore, loading: Loading, number: int, may: Callable[[Catalog], bool]) -> None:
    """A reader's position never falls: the live checkpoint is taken over, so that it stands still, and passed.

    A projector that goes on all the same changes the catalog first, so that this flip fails and is tried again.
    Raises CatalogMoved in the end, and where the catalog is not one in which it `may` be flipped.
    """
    name = loading.projection.name
    for _ in range(FLIP_TRIES):
        try:
            await loading.catch_up("catching up")
            catalog = await store.catalog()
            if not may(catalog):
                break
            live = catalog.live(name)
            if live is not None:
                await _take_over(store, loading, live)
            await loading.catch_up("flipping")
            await store.replace_catalog(with_live(catalog, name, number))
        except (CatalogMoved, CheckpointMoved):
            loading.checkpoint = await loading.generation.checkpoint()
            continue
        log.info("flipped", projection=name, generation=number)
        return
    raise CatalogMoved


def is_newest(name: str, number: int) -> Callable[[Catalog], bool]:
    """Whether the generation is there, above the live one: numbers rise, so that none is used twice."""

    def may(catalog: Catalog) -> bool:
        live = catalog.live(name)
        return catalog.entry(name, number) is not None and (live is None or live.number < number)

    return may


async def _take_over(store: ReadModelStore, loading: Loading, entry: GenerationEntry) -> None:
    """Who follows the live generation is stopped at its next fact. Its heartbeat goes over to the other one."""
    try:
        live = await store.open_generation(loading.projection, entry.number)
        try:
            await _stop(live, loading.generation)
        finally:
            await live.close()
    except (GenerationGone, GenerationDamaged) as lost:
        log.warning("live_generation_lost", projection=loading.projection.name, reason=str(lost))


async def _stop(live: Generation, other: Generation) -> None:
    await other.beat(await live.heartbeat_s())
    held = await live.checkpoint()
    await live.apply([], held, structs.replace(held, epoch=held.epoch + 1))


def with_live(catalog: Catalog, projection: str, number: int) -> Catalog:
    """The next catalog, in which that generation is live, and the one that was live is kept."""
    return catalog.with_generations(projection, [_after_flip(entry, number) for entry in catalog.of(projection)])


def _after_flip(entry: GenerationEntry, number: int) -> GenerationEntry:
    if entry.number == number:
        return structs.replace(entry, state="live", since_s=time.time())
    if entry.state == "live":
        return structs.replace(entry, state="kept", since_s=time.time())
    return entry
