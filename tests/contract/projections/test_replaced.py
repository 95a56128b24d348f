"""Files that are removed or replaced while they are open: noticed, not served or written on in silence."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import projections.sqlite_files
from eventstore.errors import StoreReplaced
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import IngestStore
from projections.catalog import begin_generation
from projections.errors import ReadModelsBusy, ReadModelsReplaced
from projections.open import open_store
from projections.projector import Projector
from projections.read_models import open_read_models
from projections.store import ReadModelStore
from projections.vaults import VAULTS
from tests.unit.projections.following import PACE, append, eventually, follow, live_position
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=400, vaults=7)


async def test_a_reader_goes_over_to_read_models_that_were_made_anew(events: IngestStore, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/anew"
    append(events, FACTS[:200])
    first = open_store(url, create=True)
    await follow(VAULTS, events, first)
    reader = open_read_models(url)
    await reader.meta("vaults")
    shutil.rmtree(tmp_path / "anew")
    with pytest.raises(ReadModelsReplaced, match=r"removed or replaced meanwhile: restart"):
        await first.catalog()
    await first.close()
    append(events, FACTS[200:])
    second = open_store(url, create=True)
    await follow(VAULTS, events, second)

    async def sees_everything() -> bool:
        return (await reader.meta("vaults")).position == events.last_position()

    await eventually(sees_everything, "the reader finds the new files")
    await reader.close()
    await second.close()


async def test_an_event_store_restored_over_the_open_one_stops_a_running_projector(
    models: ReadModelStore, tmp_path: Path
) -> None:
    for name, facts in (("now", FACTS), ("backup", FACTS[:50])):
        store = open_ingest_store(f"sqlite:///{tmp_path}/{name}.db")
        append(store, facts)
        store.close()
    reader = open_fact_reader(f"sqlite:///{tmp_path}/now.db")
    projecting = asyncio.create_task(Projector(VAULTS, reader, models, PACE).run(asyncio.Event()))

    async def follows() -> bool:
        return await live_position(models, VAULTS) == reader.last_position()

    await eventually(follows, "it follows")
    (tmp_path / "backup.db").replace(tmp_path / "now.db")
    async with asyncio.timeout(20):
        with pytest.raises(StoreReplaced, match="removed or replaced meanwhile"):
            await projecting
    reader.close()


@contextmanager
def held(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def test_a_catalog_that_another_process_keeps_busy_is_not_taken_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projections.sqlite_files, "BUSY_TIMEOUT_S", 0.01)
    store = open_store(f"sqlite:///{tmp_path}/busy", create=True)
    with held(tmp_path / "busy" / "catalog.db"), pytest.raises(ReadModelsBusy, match="kept busy by another process"):
        await begin_generation(store, VAULTS)
    await store.close()
