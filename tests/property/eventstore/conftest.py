"""A PostgreSQL server for the properties that hold on every backend."""

from collections.abc import Iterator

import pytest

from localpostgres.server import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer(fsync="off") as server:
        yield server
