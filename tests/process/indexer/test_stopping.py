"""SIGTERM and SIGINT end it within seconds, with exit code 0, whatever it is waiting for; what was stored stays."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from tests.process.indexer.conftest import DEADLINE_S, SECRET, Indexer, Node

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


async def never(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(DEADLINE_S)
    raise AssertionError("nobody waits that long")


async def limited(request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "60"})


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Takes connections and never says a word."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@SIGNALS
async def test_it_stops_when_it_has_nothing_to_do(indexer: Indexer, node: Node, number: signal.Signals) -> None:
    running = await indexer.start(settings={"POLL_INTERVAL_S": "3600", "COVERAGE_INTERVAL_S": "3600"})
    await running.until_logged("appended")
    done = await running.stop(number)
    assert '"event": "stopped"' in done.err


@SIGNALS
async def test_it_stops_while_the_node_does_not_answer_at_the_start(
    indexer: Indexer, node: Node, number: signal.Signals
) -> None:
    asked = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.set()
        return await never(request)

    node.answer = answer
    running = await indexer.start()
    async with asyncio.timeout(DEADLINE_S):
        await asked.wait()
    await running.stop(number)


async def test_it_stops_while_it_tries_a_node_that_is_not_there_again(
    make_indexer: Callable[[str, str], Indexer], unused_tcp_port: int
) -> None:
    indexer = make_indexer("indexer", f"http://127.0.0.1:{unused_tcp_port}/{SECRET}")
    running = await indexer.start()
    await running.until(lambda: len(running.logged("endpoint_unusable")) >= 2, "a second try")
    await running.stop()


@pytest.mark.parametrize("answer", [never, limited])
async def test_it_stops_while_the_node_does_not_answer_any_more(indexer: Indexer, node: Node, answer: Any) -> None:
    running = await indexer.start()
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    before = indexer.events()
    asked = asyncio.Event()

    async def note(request: web.Request) -> web.StreamResponse:
        asked.set()
        return await answer(request)  # type: ignore[no-any-return]  # either of the two above

    node.answer = note
    async with asyncio.timeout(DEADLINE_S):
        await asked.wait()
    await running.stop()
    assert indexer.events() == before


async def test_it_stops_while_the_websocket_is_half_open(indexer: Indexer, node: Node, silent_port: int) -> None:
    running = await indexer.start(settings={"WS_URL": f"ws://user:{SECRET}@127.0.0.1:{silent_port}/{SECRET}"})
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    await running.stop()


async def test_it_stops_during_a_long_walk_and_goes_on_where_it_was(
    indexer: Indexer, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node's history has no end, and none of its transactions can be had."""
    names = itertools.count()

    def page(address: str, options: dict[str, Any]) -> object:
        numbers = itertools.islice(names, options["limit"])
        return [{"signature": f"old{n}", "slot": 1_000_000 - n // 7} for n in numbers]

    def cursors() -> list[str]:
        asked = [params for method, params in node.asked if method == "getSignaturesForAddress"]
        return [params[1]["before"] for params in asked if "before" in params[1]]

    node.finalized = 2_000_000
    monkeypatch.setattr(node, "getSignaturesForAddress", page)
    monkeypatch.setattr(node, "getTransaction", lambda *_: None)
    running = await indexer.start(settings={"POLL_INTERVAL_S": "3600"})
    await running.until(lambda: len(cursors()) >= 3, "three pages")
    await running.stop()
    (walk,) = indexer.progress().walks
    owed, seen = indexer.progress().owed, len(cursors())
    assert owed >= 2_000
    assert walk.cursor is not None
    running = await indexer.start(settings={"POLL_INTERVAL_S": "3600"})
    await running.until(lambda: walk.cursor in cursors()[seen - 1 :], "the page after the last one")
    await running.stop()
    assert indexer.progress().owed > owed
