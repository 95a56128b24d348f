"""A proxy before a node that does to its clients what networks, load balancers and providers do, as chance will."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self, TypeAlias

import aiohttp
from aiohttp import WSMsgType, web

FAULTY_PART = 0.2
"""Of the requests."""
REQUEST_FAULTS = (
    "limited",
    "unavailable",
    "page of HTML",
    "late",
    "half open",
    "cut in the body",
    "delayed",
    "delayed",
    "answered twice",
    "answered twice",
)
SOCKET_FAULTS = ("cut", "closed", "half open", "refused", "silent at the handshake", "told twice and late")
MESSAGES_BEFORE_FAULT = (5, 40)
DELAY_S_MAX = 0.3
REFUSALS = (500, 502, 503, 504)
SILENCE_S = 20.0
"""Longer than the indexer takes a silent connection for a living one."""

NodeSocket: TypeAlias = "aiohttp.ClientWebSocketResponse"


class FaultyProxy:
    """Its HTTP and websocket addresses are in front of those of one node. Listens from entering to leaving it."""

    def __init__(self, rpc_url: str, ws_url: str, *, seed: int, late_s: float) -> None:
        """`late_s`: longer than its clients wait for an answer."""
        self.is_faulty = True
        self.requests = 0
        self.faults: Counter[str] = Counter()
        """How often each happened; those of websockets with `socket: ` before."""
        self.url = ""
        """Of HTTP; that of the websocket differs by its scheme."""
        self._node = rpc_url, ws_url
        self._late_s = late_s
        self._chance = random.Random(seed)
        self._request_faults = _in_turns(self._chance, REQUEST_FAULTS)
        self._socket_faults = _in_turns(self._chance, SOCKET_FAULTS)
        self._session: aiohttp.ClientSession
        self._runner: web.AppRunner

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/{key:.*}", self._request)
        app.router.add_get("/{key:.*}", self._socket)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    def not_yet(self) -> set[str]:
        """Faults that nobody has met."""
        return {*REQUEST_FAULTS, *(f"socket: {fault}" for fault in SOCKET_FAULTS)} - set(self.faults)

    async def _request(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        fault = None
        if self.is_faulty and self._chance.random() < FAULTY_PART:
            fault = next(self._request_faults)
            self.faults[fault] += 1
        match fault:
            case "limited":
                return web.Response(status=429, headers={"Retry-After": "1"}, text="slow down")
            case "unavailable":
                return web.Response(status=self._chance.choice(REFUSALS), text="upstream connect error")
            case "page of HTML":
                return web.Response(text="<html><body>maintenance</body></html>", content_type="text/html")
            case "half open":
                await asyncio.Event().wait()  # until who asks gives up
        body = await self._ask_node(await request.read())
        match fault:
            case "late":
                await asyncio.sleep(self._late_s)
            case "delayed":
                await asyncio.sleep(self._chance.uniform(0, DELAY_S_MAX))
            case "cut in the body":
                return await _cut(request, body, self._chance.randrange(len(body)))
            case "answered twice":
                return await _answer_twice(request, body)
        return web.Response(body=body, content_type="application/json")

    async def _ask_node(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        async with self._session.post(self._node[0], data=body, headers=headers) as response:
            assert response.status == 200, "the node itself is well"
            return await response.read()

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        fault = next(self._socket_faults) if self.is_faulty else None
        if fault:
            self.faults[f"socket: {fault}"] += 1
        match fault:
            case "refused":
                return web.Response(status=self._chance.choice((429, *REFUSALS)))
            case "silent at the handshake":
                await self._hold()
                return _aborted(request)
        client = web.WebSocketResponse()
        await client.prepare(request)
        async with self._session.ws_connect(self._node[1]) as node:
            asking = asyncio.create_task(_pump(client, node))
            try:
                await self._tell(client, node, fault)
                if fault == "half open":
                    asking.cancel()  # not even a ping is answered now
                    await self._hold()
            finally:
                asking.cancel()
        if fault == "closed":
            await client.close(code=aiohttp.WSCloseCode.TRY_AGAIN_LATER)
            return client
        return _aborted(request, client)

    async def _tell(self, client: web.WebSocketResponse, node: NodeSocket, fault: str | None) -> None:
        """What the node says, up to the fault. Without one, until one side has ended."""
        left: Iterator[int] = itertools.count()
        if fault is not None:
            left = iter(range(self._chance.randint(*MESSAGES_BEFORE_FAULT)))
        for _ in left:
            message = await node.receive()
            if message.type is not WSMsgType.TEXT or client.closed:
                return
            if fault == "told twice and late":
                await asyncio.sleep(self._chance.uniform(0, DELAY_S_MAX / 10))
                await client.send_str(message.data)
            await client.send_str(message.data)

    async def _hold(self) -> None:
        """A connection that lives, and on which nothing is said: until who waits gives up."""
        await asyncio.sleep(SILENCE_S)


def _in_turns(chance: random.Random, faults: Sequence[str]) -> Iterator[str]:
    """All of them in some order, and then in another."""
    while True:
        yield from chance.sample(faults, len(faults))


def _aborted(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()


async def _cut(request: web.Request, body: bytes, after: int) -> web.StreamResponse:
    """The connection ends after a part of the announced body."""
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(body[:after])
    return _aborted(request, response)


async def _answer_twice(request: web.Request, body: bytes) -> web.StreamResponse:
    """The second answer stands where the next request's is expected."""
    response = web.Response(body=body, content_type="application/json")
    await response.prepare(request)
    await response.write_eof()
    again = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    await asyncio.sleep(0.001)  # so that the first is taken before
    if request.transport is not None:
        request.transport.write(again)
    return response


async def _pump(client: web.WebSocketResponse, node: NodeSocket) -> None:
    async for message in client:
        if message.type is WSMsgType.TEXT:
            await node.send_str(message.data)
    await node.close()
