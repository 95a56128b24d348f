"""Real nodes that fail in the middle of traffic, and a new one that takes the place of the old."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest

from localnet import client, ledger
from localnet.node import LocalNode
from localnet.traffic import Traffic
from tests.process.indexer.conftest import SECRET, MakeIndexer

RATE = 20.0
"""Transactions a second."""
HTML = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/html\r\n\r\n<html></html>"
LIMITED = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Proxy:
    """One address before a node, whatever happens behind it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._target = (parts.hostname, parts.port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._handle: Handle = self._forward
        self.port = 0

    async def start(self) -> None:
        """The first time on a free port, then on the same."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Nobody listens there any more."""
        await self.stop()

    async def cut(self) -> None:
        """What is connected loses its connection; who comes back is served."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def fall_silent(self) -> None:
        """Takes what it is sent, and says nothing: half open."""

        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(-1)

        await self._turn(swallow)

    async def answer(self, response: bytes) -> None:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(response)
            await writer.drain()

        await self._turn(say)

    async def serve(self) -> None:
        """As at first."""
        await self._turn(self._forward)
        if self._server is None:
            await self.start()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.cut()

    async def _turn(self, handle: Handle) -> None:
        self._handle = handle
        await self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._handle(reader, writer)
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_node, to_node = await asyncio.open_connection(*self._target)
        try:
            await asyncio.gather(_pump(reader, to_node), _pump(from_node, writer))
        finally:
            to_node.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(2**16):
        writer.write(chunk)
        await writer.drain()
    raise ConnectionResetError("one side has ended, so the other does")


@pytest.fixture
async def node() -> AsyncIterator[LocalNode]:
    async with LocalNode() as node:
        yield node


@pytest.fixture
async def proxies(node: LocalNode) -> AsyncIterator[tuple[Proxy, Proxy]]:
    """Before the node's RPC and websocket addresses."""
    both = Proxy(node.rpc_url), Proxy(node.ws_url)
    for proxy in both:
        await proxy.start()
    yield both
    for proxy in both:
        await proxy.stop()


async def test_nothing_is_lost_however_the_node_fails_and_comes_back(
    node: LocalNode, proxies: tuple[Proxy, Proxy], make_indexer: MakeIndexer
) -> None:
    rpc, ws = proxies
    indexer = make_indexer("indexer", f"http://127.0.0.1:{rpc.port}/{SECRET}")
    done = asyncio.Event()
    outages: list[Callable[[Proxy], Awaitable[None]]] = [
        Proxy.cut,
        Proxy.refuse,
        Proxy.fall_silent,
        lambda proxy: proxy.answer(HTML),
        lambda proxy: proxy.answer(LIMITED),
    ]
    async with Traffic(node, seed=11, users=3) as traffic:
        running = await indexer.start(
            settings={"WS_URL": f"ws://127.0.0.1:{ws.port}/{SECRET}", "RPC_TIMEOUT_S": "0.5", "RPC_CONCURRENCY": "4"}
        )
        trading = asyncio.create_task(traffic.run(RATE, done))
        for outage in outages:
            stored, sent = len(indexer.events()), traffic.transactions
            await running.until(lambda stored=stored: len(indexer.events()) > stored, "new events")  # type: ignore[misc]  # a lambda's default has no type
            for proxy in proxies:
                await outage(proxy)
            await running.until(lambda sent=sent: traffic.transactions >= sent + 10, "traffic meanwhile")  # type: ignore[misc]  # as above
            for proxy in proxies:
                await proxy.serve()
        done.set()
        await trading
        async with client.connect(node.rpc_url) as direct:
            last_slot = await direct.slot()
            await running.until(lambda: indexer.covers(last_slot), f"coverage of slot {last_slot}")
            chain = await ledger.events(direct)
        await running.stop()
    assert running.logged("waiting")
    assert running.logged("hint_lost")
    events = indexer.events()
    assert len(events) == len(set(events)) == sum(traffic.events.values())
    assert set(events) == {(e.signature, e.slot, e.ordinal, e.name) for e in chain}


async def test_a_new_local_node_is_refused_before_and_after_its_head_has_passed_the_old_ones(
    make_indexer: MakeIndexer,
) -> None:
    """Made as alike as can be: one set of users, blockhashes that are not random, and then one genesis hash."""
    async with LocalNode() as first, Traffic(first, seed=11, users=3) as traffic:
        indexer = make_indexer("indexer", first.rpc_url)
        running = await indexer.start()
        last_slot = (await traffic.step()).confirmed.slot
        await running.until(lambda: indexer.covers(last_slot), f"coverage of slot {last_slot}")
        await running.stop()
    through, before = indexer.progress().coverage, indexer.facts()
    assert len(before) > sum(traffic.events.values())
    async with (
        LocalNode() as second,
        Traffic(second, seed=11, users=3),
        client.connect(second.rpc_url) as rpc,
    ):
        indexer.settings["RPC_URLS"] = second.rpc_url
        assert "its genesis hash is" in (await indexer.run()).refusal
        with closing(sqlite3.connect(indexer.path)) as connection:
            connection.execute("UPDATE binding SET genesis_hash = ?", [await rpc.call("getGenesisHash")])
            connection.commit()
        assert await rpc.slot("finalized") < through
        said = (await indexer.run()).refusal
        assert "another chain" in said
        assert "VAULT_EVENT_STORE_URL at an empty folder" in said
        assert indexer.facts() == before
        while await rpc.slot("finalized") <= through:  # noqa: ASYNC110 a node's slots set no event of ours
            await asyncio.sleep(0.05)
        said = (await indexer.run()).refusal
        assert f"slot {through} was" in said
        assert "VAULT_EVENT_STORE_URL at an empty folder" in said
        assert indexer.facts() == before
