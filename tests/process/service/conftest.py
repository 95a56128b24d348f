"""The whole service as processes around a local node with traffic, each of which can be killed and started again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from eventstore.errors import StoreMissing
from eventstore.open import open_fact_reader
from localnet.node import LocalNode
from localnet.service import Service
from localnet.traffic import Traffic

BIN = Path(sys.executable).parent
DEADLINE_S = 60
POLL_S = 0.02
COMMANDS = {"indexer": ["vault-indexer", "run"], "projector": ["vault-projector", "run"], "api": ["vault-api"]}


class Processes:
    """Indexer, projector and API; `environment` also serves their other commands."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.url = f"http://127.0.0.1:{environment['VAULT_API_PORT']}"
        self._running: dict[str, Service] = {}

    async def start(self, name: str) -> None:
        command, *arguments = COMMANDS[name]
        service = Service([str(BIN / command), *arguments], self.environment, self.folder / f"{name}.log")
        await service.start()
        self._running[name] = service

    async def kill(self, name: str) -> None:
        """As the kernel would in need of memory: nothing is asked, nothing can be tidied up."""
        service = self._running.pop(name)
        service.check()
        os.killpg(service.pid, signal.SIGKILL)
        await service.stop()

    async def stop(self) -> None:
        for service in reversed(self._running.values()):
            service.check()
            await service.stop()
        self._running.clear()

    def run(self, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(BIN / command), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )

    def json(self, command: str, *arguments: str) -> Any:
        """The last line of what it prints."""
        done = self.run(command, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def stored_position(self) -> int:
        try:
            reader = open_fact_reader(self.environment["VAULT_EVENT_STORE_URL"])
        except StoreMissing:
            return 0
        try:
            return reader.last_position()
        finally:
            reader.close()

    async def get(self, path: str) -> Any:
        """None while there is no good answer."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
                return await response.json(content_type=None) if response.status == 200 else None
        except aiohttp.ClientError:
            return None


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not await condition():  # noqa: ASYNC110 what other processes do sets no event of ours
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        pytest.fail(f"not within {DEADLINE_S} s: {what}")


@pytest.fixture
def wait_until() -> Callable[[Callable[[], Awaitable[bool]], str], Awaitable[None]]:
    return until


@pytest.fixture
async def traffic() -> AsyncIterator[tuple[LocalNode, Traffic]]:
    async with LocalNode() as node, Traffic(node, seed=7, users=4) as traffic:
        yield node, traffic


@pytest.fixture
async def processes(
    traffic: tuple[LocalNode, Traffic], tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[Processes]:
    node, _ = traffic
    environment = {
        **os.environ,
        "VAULT_EVENT_STORE_URL": f"sqlite:///{tmp_path}/events.db",
        "VAULT_READ_MODELS_URL": f"sqlite:///{tmp_path}/read-models",
        "VAULT_RPC_URLS": node.rpc_url,
        "VAULT_WS_URL": node.ws_url,
        "VAULT_COVERAGE_INTERVAL_S": "0.5",
        "VAULT_API_PORT": str(unused_tcp_port),
    }
    processes = Processes(environment, tmp_path)
    for name in COMMANDS:
        await processes.start(name)
    yield processes
    await processes.stop()
