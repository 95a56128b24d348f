"""Stores that several processes use at once, on every backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localpostgres.server import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """It syncs, as a server in production does."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        assert isinstance(server, PostgresServer)
        return server.new_database()
    return f"sqlite:///{tmp_path}/events.db"
