"""Every adapter of the event store; another backend joins by one more parameter."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from eventstore.facts import Deposited
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import Binding, FactReader, IngestStore
from localpostgres.server import PostgresServer

Opener = Callable[[], IngestStore]
ReaderOpener = Callable[[], FactReader]
BINDING = Binding("genesis", "program")


class Deposit(Protocol):
    def __call__(self, slot: int, *, ordinal: int = 0, amount: int = 1, vault: str = "vault") -> Deposited: ...


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer(fsync="off") as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database()
    yield url
    postgres.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/store/events.db"


@pytest.fixture
def remove_store(url: str, postgres: PostgresServer) -> Callable[[], None]:
    """As an operator does who starts anew, or restores."""

    def remove() -> None:
        scheme, _, path = url.partition("://")
        if scheme == "sqlite":
            for file in Path(path[1:]).parent.iterdir():
                file.unlink()
        else:
            database = path.rpartition("/")[2]
            postgres.execute("DROP SCHEMA event_store CASCADE", database)

    return remove


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


@pytest.fixture
def deposit() -> Deposit:
    def make(slot: int, *, ordinal: int = 0, amount: int = 1, vault: str = "vault") -> Deposited:
        return Deposited(
            signature=f"signature-{slot}",
            slot=slot,
            transaction_index=0,
            ordinal=ordinal,
            revision=0,
            block_time=slot,
            timestamp=slot,
            vault=vault,
            owner="owner",
            amount=amount,
            total_balance=amount,
            locked_balance=0,
            available_balance=amount,
        )

    return make
