"""Parameters: what is right is taken, what is wrong is named, and nothing is guessed."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from solders.pubkey import Pubkey

from api import cursors, parameters
from api.problems import Problem
from projections.read_models import PageStart

ADDRESS = str(Pubkey(bytes(range(32))))


def request(query: str = "", **path: str) -> web.Request:
    return make_mocked_request("GET", f"/v1/vaults?{query}", match_info=path)


def refused(ask: Callable[..., Any], *arguments: Any) -> dict[str, str]:
    """What is said of which parameter."""
    with pytest.raises(Problem) as raised:
        ask(*arguments)
    problem = raised.value
    assert (problem.status, problem.code) == (400, "bad_parameter")
    assert problem.errors
    assert all(error.parameter in problem.detail and error.detail in problem.detail for error in problem.errors)
    return {error.parameter: error.detail for error in problem.errors}


@pytest.mark.parametrize("address", [ADDRESS, str(Pubkey(bytes(32))), str(Pubkey(b"\xff" * 32))])
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert parameters.address(request(vault=address), "vault") == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ADDRESS + " ",
        ADDRESS[:-1] + "0",
        "1" * 31,
        "1" * 33,
        "1" * 45,
        "z" * 44,
        "1" * 1_000_000,
        "é" * 32,
        "\uff11" * 32,
        "\0" * 32,
        "../../etc/passwd",
        "0x" + "ab" * 20,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    said = refused(parameters.address, request(vault=text), "vault")
    assert list(said) == ["vault"]
    assert "address" in said["vault"]


@pytest.mark.parametrize(("query", "limit"), [("", 50), ("limit=1", 1), ("limit=1000", 1_000)])
def test_a_limit_within_its_bounds_is_taken(query: str, limit: int) -> None:
    assert parameters.paging(request(query), "vaults", (str,)) == (limit, None)


@pytest.mark.parametrize(
    "limit",
    ["", "0", "1001", "-1", "+1", "1e3", "1.0", "0x10", "%205", "5%20", "%D9%A5", "%C2%B2", "%00", "1_0", "9" * 5_000],
)
def test_any_other_limit_is_refused(limit: str) -> None:
    said = refused(parameters.paging, request(f"limit={limit}"), "vaults", (str,))
    assert said == {"limit": "must be a whole number from 1 to 1000"}


def test_a_cursor_says_where_the_page_begins() -> None:
    start = PageStart(2, (ADDRESS,))
    text = cursors.to_text("vaults", start)
    assert parameters.paging(request(f"cursor={text}"), "vaults", (str,)).start == start


@pytest.mark.parametrize("cursor", ["", "x", "A" * 100_000])
def test_a_bad_cursor_is_refused_by_name(cursor: str) -> None:
    assert "cursor" in refused(parameters.paging, request(f"cursor={cursor}"), "vaults", (str,))


@pytest.mark.parametrize(("query", "order"), [("", "desc"), ("order=asc", "asc"), ("order=desc", "desc")])
def test_the_newest_come_first_unless_asked_otherwise(query: str, order: str) -> None:
    assert parameters.order(request(query)) == order


@pytest.mark.parametrize("order", ["", "ASC", "ascending", "asc%20", "slot"])
def test_any_other_order_is_refused(order: str) -> None:
    assert refused(parameters.order, request(f"order={order}")) == {"order": "must be asc or desc"}


def test_known_parameters_pass() -> None:
    parameters.refuse_unknown(request("limit=1&cursor=x"), "limit", "cursor")
    parameters.refuse_unknown(request())


def test_unknown_and_repeated_parameters_are_all_named_with_what_is_known() -> None:
    said = refused(parameters.refuse_unknown, request("limit=1&limit=2&ofset=3&a=&a="), "limit", "cursor")
    assert said == {
        "ofset": "is not known here; known: limit, cursor",
        "a": "is not known here; known: limit, cursor",
        "limit": "is given more than once",
    }


def test_a_flood_of_unknown_parameters_is_answered_briefly() -> None:
    flood = "&".join(f"{'p' * 500}{n}=" for n in range(1_000))
    with pytest.raises(Problem) as raised:
        parameters.refuse_unknown(request(flood))
    assert len(raised.value.errors or []) == 10
    assert len(raised.value.detail) < 2_000
