"""Whatever a node answers, a call ends in a value, a clear no, or ChainUnavailable; never in a wrong value."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from indexer.errors import ChainUnavailable, RpcRefused
from indexer.rpc import RpcClient, public_name

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
NodeMaker = Callable[[Answer], Awaitable[str]]
number = msgspec.json.Decoder(int)


@pytest.fixture
async def start_node() -> AsyncIterator[NodeMaker]:
    servers: list[TestServer] = []

    async def start(answer: Answer) -> str:
        app = web.Application()
        app.router.add_post("/{key:.*}", answer)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return f"http://127.0.0.1:{server.port}/secret-key?token=secret-token"

    yield start
    for server in servers:
        await server.close()


def says(body: str | bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers=headers)

    return answer


async def ask(*urls: str, timeout_s: float = 5.0) -> int:
    async with RpcClient(urls, timeout_s=timeout_s, concurrency=4) as rpc:
        return (await rpc.call("getSlot", [], number)).value


async def test_an_answer_is_decoded_and_its_text_kept(start_node: NodeMaker) -> None:
    url = await start_node(says('{"jsonrpc":"2.0","result": 7,"id":1}'))
    async with RpcClient([url], timeout_s=5, concurrency=4) as rpc:
        reply = await rpc.call("getSlot", [], number)
    assert (reply.value, reply.raw) == (7, b"7")
    assert "secret" not in reply.endpoint


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("<html>gateway</html>", 200, "begins '<html>"),
        ("<html>gateway</html>", 502, "HTTP 502"),
        ("", 200, "not what was asked for"),
        ("null", 200, "not what was asked for"),
        ('{"jsonrpc":"2.0","id":1}', 200, "without a result"),
        ('{"jsonrpc":"2.0","result":null,"id":1}', 200, "not what was asked for"),
        ('{"jsonrpc":"2.0","result":"7","id":1}', 200, "not what was asked for"),
        (b'{"result":"\xff\xfe"}', 200, "not what was asked for"),
        ('{"error":{"code":-32005,"message":"Node is behind"}}', 200, "-32005 Node is behind"),
        ("[" * 100_000, 200, "not what was asked for"),
    ],
)
async def test_a_useless_answer_is_named_with_the_endpoint_but_not_its_key(
    start_node: NodeMaker, body: str | bytes, status: int, reason: str
) -> None:
    url = await start_node(says(body, status=status))
    with pytest.raises(ChainUnavailable, match="getSlot") as caught:
        await ask(url)
    assert reason in str(caught.value)
    assert public_name(url) in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_node_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    with pytest.raises(ChainUnavailable, match=f"127.0.0.1:{unused_tcp_port}"):
        await ask(f"http://127.0.0.1:{unused_tcp_port}/secret-key")


async def test_a_malformed_url_is_named_without_its_key() -> None:
    with pytest.raises(ChainUnavailable) as caught:
        await ask("http://[broken/secret-key")
    assert "secret" not in str(caught.value)


async def test_how_long_to_wait_is_taken_from_the_node_up_to_a_minute(start_node: NodeMaker) -> None:
    for header, seconds in (("7", 7.0), ("86400", 60.0), ("soon", 0.0), ("-3", 0.0)):
        url = await start_node(says("slow down", status=429, headers={"Retry-After": header}))
        with pytest.raises(ChainUnavailable) as caught:
            await ask(url)
        assert caught.value.retry_after_s == seconds


async def test_a_clear_no_is_not_tried_elsewhere(start_node: NodeMaker) -> None:
    no = await start_node(says('{"error":{"code":-32602,"message":"Invalid params"}}'))
    yes = await start_node(says('{"result":7}'))
    with pytest.raises(RpcRefused, match="-32602 Invalid params"):
        await ask(no, yes)


async def test_the_next_endpoint_is_asked_when_one_fails_and_stays_preferred(
    start_node: NodeMaker, unused_tcp_port: int
) -> None:
    asked: list[str] = []

    async def count(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body='{"result":7}')

    html = await start_node(says("<html>"))
    good = await start_node(count)
    async with RpcClient([f"http://127.0.0.1:{unused_tcp_port}", html, good], timeout_s=5, concurrency=4) as rpc:
        for _ in range(3):
            assert (await rpc.call("getSlot", [], number)).value == 7
        assert len(asked) == 3
        assert rpc._preferred == 2


async def test_a_node_that_never_answers_times_out(start_node: NodeMaker) -> None:
    client_gave_up = asyncio.Event()

    async def never(request: web.Request) -> web.StreamResponse:
        await request.content.read()
        response = web.StreamResponse()
        await response.prepare(request)
        await request.content.wait_eof()
        await response.write(b'{"result":')
        await client_gave_up.wait()
        return response

    url = await start_node(never)
    with pytest.raises(ChainUnavailable, match="timed out"):
        await ask(url, timeout_s=0.1)
    client_gave_up.set()
