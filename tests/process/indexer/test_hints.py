"""Hints are worth a little time and nothing more: whatever the websocket does, polling finds everything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from tests.process.indexer.conftest import SECRET, Answer, MakeIndexer, Node, until

Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def html(request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"<html>{request.rel_url}</html>", content_type="text/html")


async def limited(request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "60"}, text=str(request.rel_url))


async def moved(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/elsewhere/{SECRET}")


async def talking(request: web.Request, *messages: str | bytes) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    for message in messages:
        await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
    async for _ in socket:
        pass
    return socket


async def nonsense(request: web.Request) -> web.StreamResponse:
    return await talking(request, "hello", '{"jsonrpc":"2.0"}', "null", b"\xff")


async def refusing(request: web.Request) -> web.StreamResponse:
    return await talking(request, f'{{"jsonrpc":"2.0","error":{{"code":-32601,"message":"no {SECRET}"}},"id":1}}')


async def closing(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.close(code=1008, message=f"key {SECRET}".encode())
    return socket


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Takes connections and never says a word."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


ANSWERS: dict[str, Answer] = {
    "html": html,
    "limited": limited,
    "moved": moved,
    "nonsense": nonsense,
    "refusing": refusing,
    "closing": closing,
}


async def test_whatever_the_websocket_does_everything_is_found_by_polling(
    make_indexer: MakeIndexer, make_node: Callable[[], Awaitable[Node]], node: Node, silent_port: int,
    unused_tcp_port: int,
) -> None:  # fmt: skip
    urls = {
        name: f"ws://user:{SECRET}@127.0.0.1:{port}/{SECRET}?key={SECRET}"
        for name, port in [("silent", silent_port), ("absent", unused_tcp_port)]
    }
    for name, answer in ANSWERS.items():
        talker = await make_node()
        talker.answer = answer
        urls[name] = talker.url.replace("http://", "ws://")
    indexers = {name: make_indexer(name, node.url) for name in urls}
    runs = {name: await indexer.start(settings={"WS_URL": urls[name]}) for name, indexer in indexers.items()}
    for name, running in runs.items():
        if name != "silent":
            await running.until(lambda running=running: len(running.logged("hint_lost")) >= 2, f"{name} lost twice")  # type: ignore[misc]  # a lambda's default has no type
        assert not running.logged("hints_ended"), name
    late = next(iter(node.transactions.values()))
    node.add(late | {"slot": node.finalized + 1, "transaction": late["transaction"] | {"signatures": ["late"]}})
    for name, indexer in indexers.items():
        await runs[name].until(lambda indexer=indexer: indexer.covers(node.finalized), f"{name} found all")  # type: ignore[misc]  # as above
        assert "late" in {signature for signature, *_ in indexer.events()}
    for running in runs.values():
        await running.stop()
    await until(lambda: all(running.process.returncode == 0 for running in runs.values()), "the end of all")
