"""Every adapter of the read models' store; another backend joins by one more parameter."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from eventstore.open import open_ingest_store
from eventstore.port import IngestStore
from projections.open import open_store
from projections.store import ReadModelStore

Opener = Callable[[], ReadModelStore]


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path}/read-models"


@pytest.fixture
async def open_models(url: str) -> AsyncIterator[Opener]:
    """Each call is another process's view of the same read models."""
    stores: list[ReadModelStore] = []

    def opener() -> ReadModelStore:
        stores.append(open_store(url, create=True))
        return stores[-1]

    yield opener
    for store in stores:
        await store.close()


@pytest.fixture
async def models(open_models: Opener) -> ReadModelStore:
    return open_models()


@pytest.fixture
def events_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/events.db"


@pytest.fixture
def events(events_url: str) -> Iterator[IngestStore]:
    store = open_ingest_store(events_url)
    yield store
    store.close()
