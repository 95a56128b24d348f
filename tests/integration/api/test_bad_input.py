"""Whatever is asked for wrongly is answered 400, 404 or 405 as a problem, and the next question is answered."""

import io

import pytest
from solders.pubkey import Pubkey

from tests.integration.api.chain_facts import address_of, initialized
from tests.integration.api.served import Served

GOOD = address_of(1)
ROUTES = ("/v1/vaults/{}", "/v1/vaults/{}/transactions", "/v1/owners/{}/vault")
FIXED = ("/health", "/ready", "/v1/vaults", f"/v1/vaults/{GOOD}", f"/v1/vaults/{GOOD}/transactions")


@pytest.fixture
async def served(served: Served) -> Served:
    served.append(initialized(1, 1))
    await served.project()
    return served


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "text",
    [
        "x",
        "0",
        "1" * 31,
        "1" * 33,
        str(Pubkey(b"\x07" * 32)) + "1",
        "1" * 45,
        "A" * 7_000,
        "0OIl" * 8,
        "%C3%A9" * 32,
        "%EF%BC%91" * 32,
        "%00" * 32,
        GOOD + "%00",
        GOOD + "%2F",
        GOOD + "%20",
        GOOD + "%0A",
        "..%2F..%2Fetc%2Fpasswd",
        "%FF%FE",
        "%",
        "%zz",
    ],
)
async def test_a_malformed_address_is_refused_by_name(served: Served, route: str, text: str) -> None:
    reply = await served.get(route.format(text))
    assert (reply.status, reply.body["code"]) == (400, "bad_parameter")
    (error,) = reply.body["errors"]
    assert error["parameter"] in ("vault", "owner")
    assert "address" in error["detail"]
    assert len(reply.body["instance"]) <= 500


@pytest.mark.parametrize("route", ROUTES)
async def test_an_empty_address_is_no_endpoint(served: Served, route: str) -> None:
    assert (await served.get(route.format(""))).body["code"] == "not_found"


@pytest.mark.parametrize("path", ["/v1/vaults", f"/v1/vaults/{GOOD}/transactions"])
@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1e3", "%205", "%D9%A5", "", "5.0", "0x5", "NaN", "9" * 4_000])
async def test_a_limit_out_of_bounds_is_refused_by_name(served: Served, path: str, limit: str) -> None:
    reply = await served.get(f"{path}?limit={limit}")
    assert (reply.status, reply.body["code"]) == (400, "bad_parameter")
    assert reply.body["errors"] == [{"parameter": "limit", "detail": "must be a whole number from 1 to 1000"}]


@pytest.mark.parametrize("path", ["/v1/vaults", *(route.format(GOOD) for route in ROUTES)])
async def test_an_unknown_parameter_is_refused_rather_than_ignored(served: Served, path: str) -> None:
    reply = await served.get(f"{path}?offset=1")
    assert (reply.status, reply.body["errors"][0]["parameter"]) == (400, "offset")


@pytest.mark.parametrize("query", ["limit=1&limit=1", "limit=1&cursor=x&cursor=y"])
async def test_a_parameter_that_is_given_twice_is_refused(served: Served, query: str) -> None:
    reply = await served.get(f"/v1/vaults?{query}")
    assert reply.status == 400
    assert "more than once" in reply.body["detail"]


@pytest.mark.parametrize("order", ["", "up", "ASC", "asc,desc", "asc;%20DROP%20TABLE%20documents"])
async def test_an_order_that_is_none_is_refused(served: Served, order: str) -> None:
    reply = await served.get(f"/v1/vaults/{GOOD}/transactions?order={order}")
    assert (reply.status, reply.body["errors"][0]["parameter"]) == (400, "order")


async def test_a_very_long_unknown_parameter_is_answered_briefly(served: Served) -> None:
    reply = await served.get(f"/v1/vaults?{'n' * 7_000}=1")
    assert reply.status == 400
    assert len(reply.body["detail"]) < 300


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/vaults/", "/v2/vaults", "/favicon.ico", "/health/", "/%2E%2E/x"]
)
async def test_what_is_no_endpoint_is_404(served: Served, path: str) -> None:
    reply = await served.get(path)
    assert (reply.status, reply.body["code"]) == (404, "not_found")
    assert reply.body["instance"] == path


@pytest.mark.parametrize("path", FIXED)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_another_method_is_405_and_is_told_which_there_are(served: Served, path: str, method: str) -> None:
    reply = await served.get(path, method=method)
    assert (reply.status, reply.body["code"]) == (405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("path", [*FIXED, f"/v1/vaults/{address_of(9)}", "/nowhere"])
async def test_head_is_get_without_a_body(served: Served, path: str) -> None:
    with_body, without = await served.get(path), await served.get(path, method="HEAD")
    assert (without.status, without.body) == (with_body.status, None)
    assert without.headers["Content-Type"] == with_body.headers["Content-Type"]


async def test_a_large_body_is_neither_wanted_nor_kept(served: Served) -> None:
    async with served.client.post("/v1/vaults", data=io.BytesIO(b"x" * 5_000_000)) as response:
        assert response.status == 405
    assert (await served.get("/health")).status == 200


@pytest.mark.parametrize("path", FIXED)
async def test_a_large_body_where_none_is_wanted_is_413(served: Served, path: str) -> None:
    async with served.client.get(path, data=b"x" * 16_385) as response:
        problem = await response.json(content_type="application/problem+json")
    assert (response.status, problem["code"]) == (413, "body_too_large")
    async with served.client.get(path, data=b"x" * 16_384) as response:
        assert response.status == 200


async def test_no_query_can_reach_the_statement(served: Served) -> None:
    for text in ("'", '"', ";", "--", "%27%20OR%201=1"):
        assert (await served.get(f"/v1/vaults/{text}")).status == 400
        assert (await served.get(f"/v1/vaults?cursor={text}")).status == 400
    assert len((await served.get("/v1/vaults")).body["data"]) == 1
