"""Whatever bytes of whatever file are changed: commands go on, or say what is damaged; they do not fall over."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore.errors import EventStoreError
from eventstore.open import open_fact_reader, open_ingest_store
from projections.digest import digest
from projections.errors import ProjectionError
from projections.live import open_live
from projections.open import open_store
from projections.projection import Projection
from projections.read_models import open_read_models
from projections.registry import PROJECTIONS
from projections.status import read_status
from projections.store import ReadModelStore
from tests.unit.projections.following import append, rebuild
from tests.unit.projections.histories import random_history

NAMES = ("events.db", "read-models/catalog.db", "read-models/vaults.g1.db", "read-models/transactions.g1.db")
places = st.tuples(st.integers(0, 2**30), st.binary(min_size=1, max_size=6))
damages = st.lists(places, min_size=1, max_size=5)


@cache
def intact() -> dict[str, bytes]:
    """Files of a small history with both projections, by name."""

    async def make(folder: Path) -> None:
        events, models = open_ingest_store(f"sqlite:///{folder}/events.db"), open_store(url(folder), create=True)
        append(events, random_history(steps=60, vaults=4))
        for projection in PROJECTIONS.values():
            await rebuild(projection, events, models)
        await models.close()
        events.close()

    with TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(make(folder))
        for file in NAMES:
            with closing(sqlite3.connect(folder / file)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {file: (folder / file).read_bytes() for file in NAMES}


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/read-models"


async def attempt(command: Callable[[], Awaitable[object]]) -> None:
    """Errors that are ours are what a damaged file may end in; all others, and not ending, are not."""
    try:
        async with asyncio.timeout(20):
            await command()
    except (ProjectionError, EventStoreError):
        pass


async def use(folder: Path) -> None:
    async def commands() -> None:
        facts, models = open_fact_reader(f"sqlite:///{folder}/events.db"), open_store(url(folder), create=True)
        for projection in PROJECTIONS.values():
            await attempt(lambda p=projection: read_status(p, facts, models))  # type: ignore[misc]  # a default binds it
            await attempt(lambda p=projection: digest_live(p, models))  # type: ignore[misc]  # a default binds it
            await attempt(lambda p=projection: rebuild(p, facts, models))  # type: ignore[misc]  # a default binds it
        await models.close()
        facts.close()

    await attempt(lambda: read(folder))
    await attempt(commands)


async def digest_live(projection: Projection, models: ReadModelStore) -> None:
    generation = await open_live(models, projection, 1)
    try:
        await digest(projection, generation)
    finally:
        await generation.close()


async def read(folder: Path) -> None:
    reader = open_read_models(url(folder))
    await attempt(lambda: reader.vault("vault-0001"))
    await attempt(lambda: reader.vault_of_owner("owner-0002"))
    await attempt(lambda: reader.vaults(start=None, limit=3))
    await attempt(lambda: reader.transactions("vault-0001", start=None, limit=3, order="desc"))
    await reader.close()


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(NAMES), damages)
def test_whatever_is_damaged_is_told_or_goes_unnoticed(name: str, damage: list[tuple[int, bytes]]) -> None:
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "read-models").mkdir()
        for file, content in intact().items():
            changed = bytearray(content)
            for at, garbage in damage if file == name else []:
                changed[at % len(content) : at % len(content) + len(garbage)] = garbage
            (folder / file).write_bytes(changed)
        asyncio.run(use(folder))
