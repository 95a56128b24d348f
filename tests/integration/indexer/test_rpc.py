"""Whatever a node answers, a call ends in a value, a clear no, or ChainUnavailable; never in a wrong value."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from indexer.chain import Page, RpcChain
from indexer.endpoint import Endpoint
from indexer.errors import ChainUnavailable, CursorUnknown, NodeBehind, OtherChain, RpcRefused
from indexer.http_endpoint import HttpEndpoint, public_name
from indexer.rpc import Reply, RpcClient, Vet

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


def client(
    *urls: str,
    timeout_s: float = 5.0,
    concurrency: int = 4,
    vet: Vet | None = None,
    per_second: float | None = None,
) -> RpcClient:
    endpoints = [HttpEndpoint(url, timeout_s=timeout_s) for url in urls]
    return RpcClient(endpoints, vet=vet, concurrency=concurrency, per_second=per_second)


async def ask(*urls: str, timeout_s: float = 5.0) -> int:
    async with client(*urls, timeout_s=timeout_s) as rpc:
        return (await rpc.call("getSlot", [], number)).value


async def test_an_answer_is_decoded_and_its_text_kept(start_node: NodeMaker) -> None:
    url = await start_node(says('{"jsonrpc":"2.0","result": 7,"id":1}'))
    async with client(url) as rpc:
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


async def test_an_answer_that_comes_twice_is_not_taken_for_the_next_ones(start_node: NodeMaker) -> None:
    """Some proxy repeats itself on a connection that stays open: all answers there are one request behind from then."""
    repeat: list[Callable[[], None]] = []

    async def echo(request: web.Request) -> web.StreamResponse:
        call = await request.json()
        body = json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": call["params"][0]}).encode()
        again = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        assert request.transport is not None
        repeat.append(partial(request.transport.write, again))
        return web.Response(body=body)

    async with client(await start_node(echo)) as rpc:
        assert (await rpc.call("getSlot", [1], number)).value == 1
        repeat[-1]()
        with pytest.raises(ChainUnavailable, match="it answered request '1' instead of 2"):
            await rpc.call("getSlot", [2], number)
        for slot in (3, 4):
            assert (await rpc.call("getSlot", [slot], number)).value == slot


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


async def test_what_one_node_refuses_another_is_asked_for(start_node: NodeMaker) -> None:
    no = await start_node(says('{"error":{"code":-32602,"message":"Invalid params"}}'))
    yes = await start_node(says('{"result":7}'))
    assert await ask(no, yes) == 7
    with pytest.raises(RpcRefused, match="-32602 Invalid params"):
        await ask(no, no)


async def test_that_a_slot_was_skipped_is_an_answer(start_node: NodeMaker) -> None:
    skipped = await start_node(says('{"error":{"code":-32009,"message":"Slot was skipped"}}'))
    yes = await start_node(says('{"result":7}'))
    with pytest.raises(RpcRefused, match="-32009"):
        await ask(skipped, yes)


async def test_the_next_endpoint_is_asked_when_one_fails_and_stays_preferred(
    start_node: NodeMaker, unused_tcp_port: int
) -> None:
    asked: list[str] = []

    async def count(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body='{"result":7}')

    html = await start_node(says("<html>"))
    good = await start_node(count)
    async with client(f"http://127.0.0.1:{unused_tcp_port}", html, good) as rpc:
        for _ in range(3):
            assert (await rpc.call("getSlot", [], number)).value == 7
        assert len(asked) == 3
        assert rpc.turns() == [2, 0, 1]


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


async def test_no_answer_is_handed_out_before_the_node_behind_its_connection_is_vetted(start_node: NodeMaker) -> None:
    answers = iter([7, 8, 9, 10])

    async def once(_: web.Request) -> web.StreamResponse:
        response = web.json_response({"result": next(answers)})
        response.force_close()  # the next question needs another connection, as after a restart of the node
        return response

    vetted: list[str] = []

    async def vet(endpoint: Endpoint) -> None:
        vetted.append(endpoint.name)
        if len(vetted) == 3:
            raise NodeBehind("events.db", "its head is below")
        if len(vetted) == 4:
            raise OtherChain("events.db", "its genesis hash is another")

    url = await start_node(once)
    async with client(url, vet=vet) as rpc:
        assert (await rpc.call("getSlot", [], number)).value == 7
        assert (await rpc.call("getSlot", [], number)).value == 8
        assert len(vetted) == 2
        with pytest.raises(ChainUnavailable, match="its head is below"):
            await rpc.call("getSlot", [], number)
        with pytest.raises(OtherChain):
            await rpc.call("getSlot", [], number)


async def test_of_two_chains_behind_one_address_only_one_is_read_from(start_node: NodeMaker) -> None:
    """A balancer that gives each connection to another node: vetting one of them says nothing of the others."""
    chains: dict[asyncio.BaseTransport | None, int] = {}
    all_connected = asyncio.Barrier(4)

    async def balance(request: web.Request) -> web.StreamResponse:
        is_new = request.transport not in chains
        chain = chains.setdefault(request.transport, len(chains) % 2)
        if is_new and len(chains) <= 4:
            await all_connected.wait()
        return web.json_response({"result": chain})

    async def vet(endpoint: Endpoint) -> None:
        if (await endpoint.ask("getGenesisHash", [], number)).value == 1:
            raise NodeBehind("events.db", "its chain is another")

    async with client(await start_node(balance), vet=vet) as rpc:
        calls = [rpc.call("getSlot", [], number) for _ in range(4)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [o.value for o in outcomes if isinstance(o, Reply)] == [0, 0]
        assert len([o for o in outcomes if isinstance(o, ChainUnavailable)]) == 2
        for _ in range(9):
            assert (await rpc.call("getSlot", [], number)).value == 0, "what did not pass is not asked again"


async def test_after_a_connection_that_did_not_pass_another_is_tried(start_node: NodeMaker) -> None:
    ages: dict[asyncio.BaseTransport | None, int] = {}

    async def balance(request: web.Request) -> web.StreamResponse:
        return web.json_response({"result": ages.setdefault(request.transport, len(ages))})

    async def vet(endpoint: Endpoint) -> None:
        if (await endpoint.ask("getSlot", [], number)).value == 0:
            raise NodeBehind("events.db", "its head is below")

    async with client(await start_node(balance), vet=vet) as rpc:
        with pytest.raises(ChainUnavailable, match="its head is below"):
            await rpc.vet_all()
        await rpc.vet_all()
        assert (await rpc.call("getSlot", [], number)).value == 1


async def test_a_connection_that_stays_open_is_vetted_once_however_many_calls_wait_for_it(
    start_node: NodeMaker,
) -> None:
    vetted: list[str] = []

    async def vet(endpoint: Endpoint) -> None:
        vetted.append(endpoint.name)
        await asyncio.sleep(0)

    url = await start_node(says('{"result":7}'))
    async with client(url, concurrency=1, vet=vet) as rpc:
        await asyncio.gather(*(rpc.call("getSlot", [], number) for _ in range(20)))
    assert vetted == [public_name(url)]


async def test_a_clear_no_of_another_chains_node_is_no_answer_either(start_node: NodeMaker) -> None:
    async def vet(endpoint: Endpoint) -> None:
        raise OtherChain("events.db", "its genesis hash is another")

    no = await start_node(says('{"error":{"code":-32009,"message":"Slot was skipped"}}'))
    async with client(no, concurrency=1, vet=vet) as rpc:
        with pytest.raises(OtherChain):
            await rpc.call("getBlock", [7], number)


async def test_vetting_all_needs_one_endpoint_that_can_be_used_and_none_of_another_chain(
    start_node: NodeMaker,
) -> None:
    urls = [await start_node(says("")) for _ in range(2)]
    passes: dict[str, Exception | None] = {}

    async def vet(endpoint: Endpoint) -> None:
        error = passes[endpoint.name]
        if error is not None:
            raise error

    for one, two, outcome in [
        (None, None, None),
        (ChainUnavailable("getSlot", ["down"]), None, None),
        (ChainUnavailable("getSlot", ["down"]), NodeBehind("events.db", "lags"), ChainUnavailable),
        (None, OtherChain("events.db", "another"), OtherChain),
    ]:
        passes = dict(zip(map(public_name, urls), (one, two), strict=True))
        async with client(*urls, concurrency=1, vet=vet) as rpc:
            if outcome is None:
                await rpc.vet_all()
            else:
                with pytest.raises(outcome):
                    await rpc.vet_all()


def node_with(signatures: list[str], knows: set[str], finalized: int = 7) -> Answer:
    """Lists what comes after a signature that it has, and nothing after one that it does not know."""

    async def answer(request: web.Request) -> web.StreamResponse:
        call = await request.json()
        if call["method"] == "getSlot":
            return web.json_response({"result": finalized})
        if call["method"] == "getVersion":
            return web.json_response({"result": {"solana-core": "4.1.2"}})
        if call["method"] == "getSignatureStatuses":
            return web.json_response({"result": {"value": [{"slot": 1} if call["params"][0][0] in knows else None]}})
        before = call["params"][1]["before"]
        after = signatures[signatures.index(before) + 1 :] if before in signatures else []
        return web.json_response({"result": [{"signature": s, "slot": 1} for s in after]})

    return answer


async def test_every_endpoint_is_asked_for_a_cursor_before_it_counts_as_unknown(
    start_node: NodeMaker, unused_tcp_port: int
) -> None:
    forgot = await start_node(node_with([], set()))
    knows = await start_node(node_with(["c", "b", "a"], {"c", "b", "a"}))
    down = f"http://127.0.0.1:{unused_tcp_port}"
    async with client(down, forgot, knows) as rpc:
        chain = RpcChain(rpc, commitment="confirmed", max_transaction_version=0)
        page = await chain.older("program", "c", 10, head=7)
        assert ([s.signature for s in page.signatures], page.source, page.ends_at) == (["b", "a"], 2, None)
        assert await chain.older("program", "a", 10, head=7) == Page([], 2, ends_at=1)
        with pytest.raises(CursorUnknown, match="c"):
            await chain.older("program", "c", 10, head=7, source=1)
        with pytest.raises(CursorUnknown, match="z") as caught:
            await chain.older("program", "z", 10, head=7)
        assert f"127.0.0.1:{unused_tcp_port}" in " ".join(caught.value.unasked), "it may know it"
        with pytest.raises(ChainUnavailable):
            await chain.older("program", "c", 10, head=7, source=0)
        with pytest.raises(ChainUnavailable, match="slot 7 is below 8"):
            await chain.older("program", "c", 10, head=8)
    async with client(forgot, knows) as rpc:
        with pytest.raises(CursorUnknown) as caught:
            await RpcChain(rpc, commitment="confirmed", max_transaction_version=0).older("program", "z", 10, head=7)
        assert caught.value.unasked == []


async def test_an_endpoint_that_refuses_a_list_does_not_keep_the_next_from_being_asked(start_node: NodeMaker) -> None:
    refuses = await start_node(says('{"error":{"code":-32602,"message":"Invalid params"}}'))
    knows = await start_node(node_with(["c", "b", "a"], {"c", "b", "a"}))
    async with client(refuses, knows) as rpc:
        chain = RpcChain(rpc, commitment="confirmed", max_transaction_version=0)
        assert (await chain.older("program", "c", 10, head=7)).source == 1


async def test_an_endpoint_that_is_limited_is_left_alone_for_as_long_as_it_says(start_node: NodeMaker) -> None:
    asked = {"limited": 0, "free": 0}

    async def limited(request: web.Request) -> web.StreamResponse:
        asked["limited"] += 1
        return web.Response(status=429, headers={"Retry-After": "3600"})

    async def free(request: web.Request) -> web.StreamResponse:
        asked["free"] += 1
        return web.json_response({"result": 7})

    limited_url, free_url = await start_node(limited), await start_node(free)
    async with client(limited_url, free_url) as rpc:
        for _ in range(5):
            assert (await rpc.call("getSlot", [], number)).value == 7
        assert asked == {"limited": 1, "free": 5}
        with pytest.raises(ChainUnavailable, match="it asked to be left alone") as refused:
            await rpc.call("getSlot", [], number, at=0)
        assert 50 < refused.value.retry_after_s <= 60, "no endpoint is believed for longer"
        assert asked["limited"] == 1


async def test_calls_to_an_endpoint_begin_no_closer_together_than_its_rate_allows(start_node: NodeMaker) -> None:
    began_s: list[float] = []

    async def node(request: web.Request) -> web.StreamResponse:
        began_s.append(asyncio.get_running_loop().time())
        return web.json_response({"result": 7})

    async with client(await start_node(node), concurrency=8, per_second=100.0) as rpc:
        start_s = asyncio.get_running_loop().time()
        await asyncio.gather(*(rpc.call("getSlot", [], number) for _ in range(11)))
        assert max(began_s) - start_s >= 0.1, "the eleventh is ten intervals after the first"
