"""vault-api as it runs: it answers without read models, logs JSON, and goes when it is told to."""

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.process.api.conftest import ApiProcess

PROMPTLY_S = 2.0
DRAINED_S = 8.0
"""The five seconds that requests in flight are given, and some."""


@contextmanager
def connected(api: ApiProcess) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def asked(connection: http.client.HTTPConnection, path: str) -> tuple[int, Any]:
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_it_starts_without_read_models_and_says_that_there_is_nothing_to_read(api: ApiProcess) -> None:
    with connected(api) as connection:
        assert asked(connection, "/health") == (200, {"status": "ok"})
        assert asked(connection, "/ready")[0] == 503
        status, problem = asked(connection, "/v1/vaults")
    assert (status, problem["code"]) == (503, "read_models_unavailable")


def test_requests_are_logged_as_json_lines(api: ApiProcess) -> None:
    with connected(api) as connection:
        asked(connection, "/health")
        asked(connection, "/nowhere?secret=1")
    api.wait_until(lambda: sum(line["event"] == "request" for line in api.lines) == 2)
    lines = [line for line in api.lines if line["event"] == "request"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/health", 200),
        ("GET", "/nowhere", 404),
    ]
    assert all(line["process"] == "api" and line["request_id"] and line["timestamp"] for line in lines)
    assert "secret" not in api.said


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        b"GET /v1/vaults/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 10_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_leaves_the_log_readable(api: ApiProcess, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        connection.sendall(sent)
        head, body = b"".join(iter(lambda: connection.recv(65_536), b"")).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.0 400 ")
    for header in (
        b"X-Request-Id: ",
        b"Content-Type: application/problem+json",
        b"nosniff",
        b"Server: collateral-vault",
    ):
        assert header in head
    assert json.loads(body)["code"] == "bad_request"
    with connected(api) as after:
        assert asked(after, "/health")[0] == 200
    api.wait_until_logged("request")
    assert [line["status"] for line in api.lines if line["event"] == "request"] == [400, 200]
    assert {line["level"] for line in api.lines} == {"info"}, "no traceback for what anybody can send"


@pytest.mark.parametrize("path", ["/health", "/nowhere"])
def test_an_expectation_that_nobody_knows_is_refused_as_a_problem(api: ApiProcess, path: str) -> None:
    with connected(api) as connection:
        connection.request("GET", path, headers={"Expect": "nonsense"})
        response = connection.getresponse()
        problem = json.loads(response.read())
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert (response.status, problem["code"]) == (417, "expectation_failed")
        assert asked(connection, "/health")[0] == 200


def test_a_body_that_cannot_be_read_leaves_no_traceback(api: ApiProcess) -> None:
    with connected(api) as connection:
        connection.request("GET", "/health", body=b"no gzip", headers={"Content-Encoding": "gzip"})
        assert connection.getresponse().status in (200, 400)
    with connected(api) as after:
        assert asked(after, "/health")[0] == 200
    api.wait_until_logged("request")
    assert "Traceback" not in api.said
    assert {line["level"] for line in api.lines} == {"info"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_promptly_when_told_to(api: ApiProcess, number: signal.Signals) -> None:
    code, took_s = api.stop(number)
    assert code == 0, api.said
    assert took_s < PROMPTLY_S
    assert api.lines[-1]["event"] == "stopped"


def test_a_connection_that_is_kept_open_does_not_hold_it_up(api: ApiProcess) -> None:
    with connected(api) as connection:
        asked(connection, "/health")
        code, took_s = api.stop()
    assert code == 0, api.said
    assert took_s < PROMPTLY_S


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /v1/vau",
        b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx",
        b"POST /v1/vaults HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nx",
    ],
)
def test_a_request_that_never_ends_holds_it_up_no_longer_than_it_may(api: ApiProcess, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        connection.sendall(sent)
        if b"\r\n" in sent:
            api.wait_until_logged("request")
        code, took_s = api.stop()
    assert code == 0, api.said
    assert took_s < DRAINED_S
