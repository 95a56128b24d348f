"""The API over read models that are damaged: 503 that says nothing of its inside, and 200 once they are mended."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog
from pytest_aiohttp.plugin import AiohttpClient

from api.app import make_app
from projections.read_models import open_read_models
from tests.integration.api.chain_facts import address_of, initialized
from tests.integration.api.served import Served, read_models_url, until

VAULT = f"/v1/vaults/{address_of(1)}"
READING = ("/v1/vaults", VAULT, "/ready")


@pytest.fixture
async def served(tmp_path: Path, aiohttp_client: AiohttpClient) -> AsyncIterator[Served]:
    """One vault, projected; the projectors are gone."""
    app = make_app(open_read_models(read_models_url(tmp_path)), ready_max_age_s=1_000.0)
    served = Served(tmp_path, await aiohttp_client(app))
    served.append(initialized(1, 1))
    await served.project()
    await served.stop_projectors()
    yield served
    await served.close()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


@pytest.mark.parametrize(
    ("name", "damage", "paths"),
    [
        ("vaults.g1.db", "UPDATE documents SET body = x'ff'", READING[:2]),
        ("vaults.g1.db", "UPDATE documents SET body = json_remove(body, '$.owner')", READING[:2]),
        ("vaults.g1.db", "UPDATE documents SET body = json_set(body, '$.locked_balance', 'x')", READING[:2]),
        ("vaults.g1.db", "UPDATE checkpoint SET body = 'null'", READING),
        ("vaults.g1.db", "UPDATE checkpoint SET heartbeat_s = 'soon'", READING),
        ("vaults.g1.db", "DELETE FROM checkpoint", READING),
        ("catalog.db", "UPDATE catalog SET body = '{'", READING),
        ("catalog.db", "UPDATE catalog SET revision = 99", READING),
    ],
)
async def test_what_is_corrupt_is_503_and_the_log_says_which_file(
    served: Served, logged: list[Any], name: str, damage: str, paths: tuple[str, ...]
) -> None:
    change(served.folder / "read-models" / name, damage)
    for path in paths:
        reply = await served.get(path)
        assert (reply.status, reply.body["code"]) == (503, "read_models_unavailable")
        assert int(reply.headers["Retry-After"]) >= 1
    reasons = [entry["reason"] for entry in logged if entry["event"] == "read_models_unavailable"]
    assert len(reasons) == len(paths)
    assert all(str(served.folder / "read-models" / name) in reason for reason in reasons)


def missing(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def garbled(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:4_096] + b"\xff" * 8_192)


@pytest.mark.parametrize("damage", [missing, emptied, garbled])
async def test_a_live_generation_that_is_lost_is_503_until_a_rebuild_has_mended_it(
    served: Served, damage: Callable[[Path], None]
) -> None:
    path = served.folder / "read-models" / "vaults.g1.db"
    change(path, "UPDATE checkpoint SET heartbeat_s = heartbeat_s")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(path)
    for reading in READING[:2]:
        reply = await served.get(reading)
        assert (reply.status, reply.body["code"]) == (503, "read_models_unavailable"), reply.body
    assert await served.rebuild("vaults") == 2

    async def is_mended() -> bool:
        return (await served.get(VAULT)).status == 200

    await until(is_mended)
