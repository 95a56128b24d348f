"""The API over read models that a real projector made of a real event store; each can be missing."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.test_utils import TestClient
from multidict import CIMultiDictProxy
from yarl import URL

from eventstore.facts import CoverageAdvanced, Fact
from eventstore.open import open_ingest_store
from eventstore.port import Binding
from projections.open import open_store
from projections.projector import Pace, Projector
from projections.rebuild import Rebuild
from projections.registry import PROJECTIONS
from projections.store import Generation, ReadModelStore

DEADLINE_S = 20
POLL_S = 0.005
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Server": "collateral-vault",
    "X-Content-Type-Options": "nosniff",
}


class Reply(NamedTuple):
    status: int
    headers: CIMultiDictProxy[str]
    body: Any


class Served:
    """Facts go in at `append`, answers come out of `get`."""

    def __init__(self, folder: Path, client: TestClient[web.Request, web.Application]) -> None:
        self.folder, self.client = folder, client
        self._store = open_ingest_store(f"sqlite:///{folder}/events.db")
        self._store.bind(Binding("genesis", "program"))
        self._epoch = self._store.acquire_lease("the test")
        self._stop = asyncio.Event()
        self._projectors: list[asyncio.Task[None]] = []
        self._read_models: ReadModelStore | None = None

    def append(self, *facts: Fact) -> int:
        """Returns the last position."""
        return self._store.append(facts).last_position

    def cover(self, slot: int) -> None:
        """As an indexer that has found and stored everything up to there."""
        self._store.record_page(self._epoch, self._store.next_walk(slot), [], None, met_floor=True)
        self._store.append([CoverageAdvanced(through_slot=slot, block_time=slot, blockhash=None)], epoch=self._epoch)

    async def project(self, *, grace_s: float = 3_600.0) -> None:
        """Starts the projectors if they do not run yet, and waits until they have applied what is stored."""
        if not self._projectors:
            self._stop.clear()
            pace = Pace(batch=100, poll_interval_s=POLL_S, grace_s=grace_s)
            for projection in PROJECTIONS.values():
                projector = Projector(projection, self._store, self.read_models, pace)
                self._projectors.append(asyncio.create_task(projector.run(self._stop)))
        await until(self._is_caught_up)

    async def stop_projectors(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._projectors)
        self._projectors.clear()

    async def rebuild(self, name: str) -> int:
        """Returns the new generation."""
        return (await Rebuild(PROJECTIONS[name], self._store, self.read_models, 100, lambda *_: None).run()).generation

    async def drop_generations_but(self, name: str, live: int) -> None:
        """Restarts the projectors without grace, and waits until the older generations are gone."""

        async def only_live() -> bool:
            return [entry.number for entry in (await self.read_models.catalog()).of(name)] == [live]

        await self.stop_projectors()
        await self.project(grace_s=0.0)
        await until(only_live)

    async def beat(self, name: str, at_s: float) -> None:
        """As if a projector, which must not run, had said at that time that it is alive."""
        generation = await self._live(name)
        assert generation is not None
        await generation.beat(at_s)
        await generation.close()

    async def get(self, path: str, *, headers: dict[str, str] | None = None, method: str = "GET") -> Reply:
        """`path` goes out as it is written. What holds for every answer is checked here."""
        async with self.client.request(method, URL(path, encoded=True), headers=headers) as response:
            raw = await response.read()
            assert SECURITY_HEADERS.items() <= dict(response.headers).items()
            assert response.headers["X-Request-Id"]
            assert str(self.folder).encode() not in raw, "it names a path of the server"
            body: Any = json.loads(raw) if raw else None
            if response.status >= 400 and method != "HEAD":
                assert response.content_type == "application/problem+json"
                assert (body["status"], body["requestId"]) == (response.status, response.headers["X-Request-Id"])
                assert body["type"] == f"urn:collateral-vault:problem:{body['code']}"
            return Reply(response.status, response.headers, body)

    async def walk(self, path: str, *, meanwhile: Callable[[int], Awaitable[None]] | None = None) -> list[Any]:
        """All items of all pages; `meanwhile` is given the number of each page after it was read."""
        items: list[Any] = []
        page, cursor, pages = "&" if "?" in path else "?", None, 0
        while True:
            reply = await self.get(f"{path}{page}cursor={cursor}" if cursor else path)
            assert reply.status == 200, reply.body
            items += reply.body["data"]
            cursor = reply.body["page"]["nextCursor"]
            assert reply.body["page"]["hasMore"] is (cursor is not None)
            if cursor is None:
                return items
            pages += 1
            assert pages < 1_000, "the walk does not end"
            if meanwhile is not None:
                await meanwhile(pages)

    async def close(self) -> None:
        await self.stop_projectors()
        self._store.close()
        if self._read_models is not None:
            await self._read_models.close()

    @property
    def read_models(self) -> ReadModelStore:
        """Made when first asked for."""
        if self._read_models is None:
            self._read_models = open_store(read_models_url(self.folder), create=True)
        return self._read_models

    async def _is_caught_up(self) -> bool:
        for projector in self._projectors:
            if projector.done():
                projector.result()
        return all([await self._is_at_the_end(name) for name in PROJECTIONS])

    async def _is_at_the_end(self, name: str) -> bool:
        """And its projector has said that it is alive: else /ready would be a matter of luck."""
        generation = await self._live(name)
        if generation is None:
            return False
        checkpoint, heartbeat_s = await generation.checkpoint(), await generation.heartbeat_s()
        await generation.close()
        return heartbeat_s > 0 and checkpoint.position == self._store.last_position()

    async def _live(self, name: str) -> Generation | None:
        live = (await self.read_models.catalog()).live(name)
        return await self.read_models.open_generation(PROJECTIONS[name], live.number) if live else None


def read_models_url(folder: Path) -> str:
    return f"sqlite:///{folder}/read-models"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not await condition():
        assert time.monotonic() < end_s, f"not within {DEADLINE_S} s"
        await asyncio.sleep(POLL_S)
