"""What happens around an answer: request ids, read models that are not there or broken, and our own mistakes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from pytest_aiohttp.plugin import AiohttpClient

from api.app import make_app
from projections.errors import NotReadModels
from projections.read_models import ReadModels, open_read_models
from tests.integration.api.chain_facts import address_of, initialized
from tests.integration.api.served import Served, read_models_url

READING = ("/v1/vaults", f"/v1/vaults/{address_of(1)}", f"/v1/vaults/{address_of(1)}/transactions", "/ready")


class Failing:
    """Implements ReadModels by raising."""

    closed = False

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def vault(self, address: str) -> Any:
        raise self._error

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.mark.parametrize("given", ["a", "A-z_0", "f" * 64])
async def test_a_request_id_is_given_back_and_logged(served: Served, given: str, logged: list[Any]) -> None:
    for path in ("/health", "/nowhere"):
        reply = await served.get(path, headers={"X-Request-Id": given})
        assert reply.headers["X-Request-Id"] == given
    assert [entry["request_id"] for entry in logged if entry["event"] == "request"] == [given] * 2


@pytest.mark.parametrize("given", ["", " ", "f" * 65, "a b", "a;b", "<script>", "é", "a/b", "{}", "a\tb"])
async def test_a_hostile_request_id_is_replaced(served: Served, given: str) -> None:
    reply = await served.get("/health", headers={"X-Request-Id": given})
    assert reply.headers["X-Request-Id"] != given
    assert len(reply.headers["X-Request-Id"]) == 32


async def test_every_request_gets_an_id_of_its_own(served: Served) -> None:
    ids = {(await served.get("/health")).headers["X-Request-Id"] for _ in range(20)}
    assert len(ids) == 20


async def test_every_request_is_logged_with_what_became_of_it(served: Served, logged: list[Any]) -> None:
    await served.get("/health")
    await served.get("/no%0Awhere?secret=1")
    lines = [entry for entry in logged if entry["event"] == "request"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/health", 200),
        ("GET", "/no%0Awhere", 404),
    ]
    assert all(line["elapsed_ms"] >= 0 and line["ip"] == "127.0.0.1" for line in lines)


@pytest.mark.parametrize("path", READING)
async def test_while_there_are_no_read_models_it_is_503_with_when_to_try_again(served: Served, path: str) -> None:
    reply = await served.get(path)
    assert (reply.status, reply.body["code"]) == (503, "read_models_unavailable")
    assert int(reply.headers["Retry-After"]) >= 1
    assert (await served.get("/health")).body == {"status": "ok"}


async def test_read_models_are_picked_up_as_soon_as_they_appear(served: Served) -> None:
    assert (await served.get("/ready")).status == 503
    served.append(initialized(1, 1))
    await served.project()
    for path in READING:
        assert (await served.get(path)).status == 200


async def test_a_wrong_parameter_is_told_even_while_there_is_nothing_to_read(served: Served) -> None:
    assert (await served.get("/v1/vaults?limit=0")).status == 400


async def test_read_models_that_are_something_else_are_503_until_mended(
    tmp_path: Path, aiohttp_client: AiohttpClient, logged: list[Any]
) -> None:
    folder = tmp_path / "read-models"
    folder.mkdir()
    (folder / "catalog.db").write_text("not a database, by any measure\n" * 100)
    app = make_app(open_read_models(read_models_url(tmp_path)), ready_max_age_s=10.0)
    served = Served(tmp_path, await aiohttp_client(app))
    assert (await served.get("/v1/vaults")).status == 503
    (reason,) = (entry["reason"] for entry in logged if entry["event"] == "read_models_unavailable")
    assert str(folder) in reason, "the log says where"
    (folder / "catalog.db").unlink()
    await served.project()
    assert (await served.get("/v1/vaults")).status == 200
    await served.close()


async def test_ready_says_how_far_each_projection_is(served: Served) -> None:
    last = served.append(initialized(1, 7))
    await served.project()
    reply = await served.get("/ready")
    assert (reply.status, reply.body["status"]) == (200, "ready")
    assert set(reply.body["projections"]) == {"vaults", "transactions"}
    for meta in reply.body["projections"].values():
        assert (meta["slot"], meta["position"], meta["generation"]) == (7, last, 1)


@pytest.mark.parametrize("name", ["vaults", "transactions"])
async def test_it_is_not_ready_when_a_projector_has_gone_silent(served: Served, name: str) -> None:
    await served.project()
    await served.stop_projectors()
    await served.beat(name, 1.0)
    reply = await served.get("/ready")
    assert (reply.status, reply.body["code"]) == (503, "projector_silent")
    assert name in reply.body["detail"]
    assert reply.body["meta"]["lagS"] > 1_000
    assert (await served.get("/v1/vaults")).status == 200, "old answers are still answers, and say their age"


async def test_before_a_projectors_first_sign_of_life_its_age_is_not_known(served: Served) -> None:
    await served.project()
    await served.stop_projectors()
    await served.beat("vaults", 0.0)
    reply = await served.get("/ready")
    assert (reply.status, reply.body["code"]) == (503, "projector_silent")
    assert "never" in reply.body["detail"]
    assert reply.body["meta"]["lagS"] is None


async def test_a_clock_that_was_set_back_makes_no_negative_lag(served: Served) -> None:
    await served.project()
    await served.stop_projectors()
    await served.beat("vaults", 9e9)
    assert (await served.get("/v1/vaults")).body["meta"]["lagS"] == 0


@pytest.mark.parametrize("error", [RuntimeError, KeyError, OverflowError, TimeoutError, UnicodeError])
async def test_a_mistake_of_ours_is_500_that_says_nothing_of_its_inside(
    tmp_path: Path, aiohttp_client: AiohttpClient, logged: list[Any], error: type[Exception]
) -> None:
    inside = error(f"secret {tmp_path}")
    app = make_app(cast(ReadModels, Failing(inside)), ready_max_age_s=10.0)
    served = Served(tmp_path, await aiohttp_client(app))
    reply = await served.get(f"/v1/vaults/{address_of(1)}")
    assert (reply.status, reply.body["code"]) == (500, "internal_error")
    assert "secret" not in str(reply.body)
    (entry,) = (entry for entry in logged if entry["event"] == "request_failed")
    assert entry["exc_info"] is inside
    assert entry["request_id"] == reply.body["requestId"]
    await served.close()


async def test_the_stores_own_words_stay_in_the_log(
    tmp_path: Path, aiohttp_client: AiohttpClient, logged: list[Any]
) -> None:
    app = make_app(cast(ReadModels, Failing(NotReadModels(str(tmp_path), "secret"))), ready_max_age_s=10.0)
    served = Served(tmp_path, await aiohttp_client(app))
    reply = await served.get(f"/v1/vaults/{address_of(1)}")
    assert reply.status == 503
    assert "secret" not in str(reply.body)
    assert "secret" in str(logged)
    await served.close()


async def test_many_at_once_are_all_answered_in_full(served: Served) -> None:
    served.append(*(initialized(n, n) for n in range(1, 30)))
    await served.project()
    replies = await asyncio.gather(*(served.get(f"/v1/vaults/{address_of(n % 29 + 1)}") for n in range(200)))
    assert [reply.body["data"]["address"] for reply in replies] == [address_of(n % 29 + 1) for n in range(200)]


async def test_the_read_models_are_closed_when_the_application_ends(aiohttp_client: AiohttpClient) -> None:
    read_models = Failing(RuntimeError())
    client = await aiohttp_client(make_app(cast(ReadModels, read_models), ready_max_age_s=10.0))
    await client.close()
    assert read_models.closed
