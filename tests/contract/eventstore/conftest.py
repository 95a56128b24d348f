"""Every adapter of the event store; another backend joins by one more parameter."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import Binding, FactReader, IngestStore

Opener = Callable[[], IngestStore]
ReaderOpener = Callable[[], FactReader]
BINDING = Binding("genesis", "program")


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path}/store/events.db"


@pytest.fixture
def opened() -> Iterator[list[FactReader]]:
    stores: list[FactReader] = []
    yield stores
    for store in stores:
        store.close()


@pytest.fixture
def open_store(url: str, opened: list[FactReader]) -> Opener:
    def opener() -> IngestStore:
        store = open_ingest_store(url)
        opened.append(store)
        return store

    return opener


@pytest.fixture
def open_reader(url: str, opened: list[FactReader]) -> ReaderOpener:
    def opener() -> FactReader:
        reader = open_fact_reader(url)
        opened.append(reader)
        return reader

    return opener


@pytest.fixture
def store(open_store: Opener) -> IngestStore:
    store = open_store()
    store.bind(BINDING)
    return store


@pytest.fixture
def epoch(store: IngestStore) -> int:
    return store.acquire_lease("the test")
