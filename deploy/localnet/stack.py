"""One run of everything: node, traffic, indexer, projector and API, started in order and stopped in reverse."""

import asyncio
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NoReturn

import aiohttp

from localnet import client, programs, sample
from localnet.display import Display
from localnet.errors import ChildDied, LocalnetError, NotReady
from localnet.market import open_market
from localnet.node import LocalNode
from localnet.sample import Sources
from localnet.service import Service, last_lines
from localnet.settings import Settings
from localnet.traffic import Traffic

BIN = Path(sys.executable).parent
READY_TIMEOUT_S = 60
SAMPLE_EVERY_S = 2.0
SAMPLE_UNTIL_FIRST_DEPOSIT_S = 0.2
POLL_EVERY_S = 0.1
DYING_S = 2.0


class Stack:
    def __init__(self, settings: Settings, display: Display, started: float) -> None:
        """`started` is the time.monotonic() at which the command began."""
        self._settings = settings
        self._display = display
        self._started = started
        self._held = AsyncExitStack()
        self._node: LocalNode | None = None
        self._traffic: Traffic | None = None
        self._services: list[Service] = []

    async def run(self) -> None:
        """Until a signal or the duration's end. What fails is raised once everything is stopped."""
        self._be_cancelled_by_signals()
        async with self._held:
            try:
                environment = dict(self._settings.environment)
                if not self._settings.cluster:
                    environment |= await self._start_chain()
                await self._start_services(environment)
                self._announce()
                await self._follow(environment)
            except asyncio.CancelledError:
                self._display.say("stopping")
            except LocalnetError as error:
                raise self._cause(error) from None
            except ExceptionGroup as group:
                first = group.exceptions[0]
                raise (self._cause(first) if isinstance(first, LocalnetError) else first) from None

    def _be_cancelled_by_signals(self) -> None:
        """A second signal ends even the stopping; the kernel kills what is then left."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        if self._settings.duration_s is not None:
            loop.call_later(self._settings.duration_s - self._elapsed_s(), task.cancel)

    async def _start_chain(self) -> dict[str, str]:
        """Users have their vaults before the indexer starts, so that it has a history to find."""
        self._node = LocalNode(log=self._settings.folder / "node.log", say=self._display.say)
        await self._held.enter_async_context(self._node)
        if self._settings.traffic:
            self._traffic = Traffic(self._node, seed=self._settings.seed, users=self._settings.users)
            await self._held.enter_async_context(self._traffic)
        else:
            async with client.connect(self._node.rpc_url) as rpc:
                await open_market(self._node, rpc)
        return {"VAULT_RPC_URLS": self._node.rpc_url, "VAULT_WS_URL": self._node.ws_url}

    async def _start_services(self, environment: Mapping[str, str]) -> None:
        """The projector and the API can only open a store that the indexer has made."""
        indexer = await self._start(environment, "vault-indexer", "run")
        deadline = time.monotonic() + READY_TIMEOUT_S
        while sample.stored_position(environment["VAULT_EVENT_STORE_URL"]) is None:
            indexer.check()
            if time.monotonic() > deadline:
                raise NotReady(indexer.name, READY_TIMEOUT_S, str(indexer.log), last_lines(indexer.log))
            await asyncio.sleep(POLL_EVERY_S)
        projector = await self._start(environment, "vault-projector", "run")
        api = await self._start(environment, "vault-api")
        for service, event in ((indexer, "started"), (projector, "following"), (api, "listening")):
            await service.wait_until_logged(event, READY_TIMEOUT_S)

    async def _start(self, environment: Mapping[str, str], name: str, *arguments: str) -> Service:
        service = Service([str(BIN / name), *arguments], environment, self._settings.folder / f"{name}.log")
        self._held.push_async_callback(service.stop)
        await service.start()
        self._services.append(service)
        return service

    async def _follow(self, environment: Mapping[str, str]) -> NoReturn:
        """Raises what any of them raises, and then the others are cancelled."""
        rpc_url = environment["VAULT_RPC_URLS"].split(",")[0].strip()
        async with aiohttp.ClientSession() as session, client.connect(rpc_url) as node, asyncio.TaskGroup() as group:
            sources = Sources(session, node, environment["VAULT_EVENT_STORE_URL"], self._settings.api_url)
            group.create_task(self._report(sources))
            for service in self._services:
                group.create_task(service.watch())
            if self._node:
                group.create_task(self._watch_node(self._node))
            if self._traffic:
                group.create_task(self._traffic.run(self._settings.rate, asyncio.Event()))
        raise AssertionError("they run until they are cancelled")

    async def _report(self, sources: Sources) -> NoReturn:
        pause_s, announced = SAMPLE_UNTIL_FIRST_DEPOSIT_S, False
        while True:
            taken = await sample.take(sources)
            if taken.first_deposit and pause_s != SAMPLE_EVERY_S:
                pause_s = SAMPLE_EVERY_S
            if taken.first_deposit and not announced and self._node:  # a cluster's may be of an earlier run
                announced = True
                seconds = round(self._elapsed_s(), 1)
                self._display.say(f"first deposit visible over HTTP after {seconds} s", firstDepositS=seconds)
            sent = self._traffic.transactions if self._traffic else 0
            self._display.status(taken, sent, self._elapsed_s())
            await asyncio.sleep(pause_s)

    async def _watch_node(self, node: LocalNode) -> NoReturn:
        while node.exit_code() is None:  # noqa: ASYNC110 a process of subprocess has nothing to wait for
            await asyncio.sleep(POLL_EVERY_S)
        raise LocalnetError("the local node ended by itself")  # which `_cause` tells more about

    def _cause(self, error: LocalnetError) -> LocalnetError:
        """When the node is gone, whatever else went wrong went wrong because of it."""
        code = self._node.exit_code(within_s=DYING_S) if self._node else None
        if code is None:
            return error
        log = self._settings.folder / "node.log"
        return ChildDied("the local node", code, str(log), last_lines(log))

    def _announce(self) -> None:
        settings, lines = self._settings, {}
        if self._node:
            lines["node"] = f"{self._node.rpc_url}, WebSocket {self._node.ws_url}"
            lines["programs"] = f"{programs.vault_manager().address}, {programs.position_manager().address}"
        if self._traffic:
            lines["traffic"] = f"{settings.users} users, {settings.rate:g} transactions a second, seed {settings.seed}"
        if settings.cluster_folder:
            lines["data, kept"] = str(settings.cluster_folder)
        elif settings.cluster:
            lines["data"] = "as VAULT_EVENT_STORE_URL and VAULT_READ_MODELS_URL say"
        lines["logs" if settings.cluster else "data and logs"] = str(settings.folder)
        lines["API"] = f"{settings.api_url}/v1/vaults"
        for name in settings.ignored:
            self._display.say(f"{name} is not used: a local node is a new chain, and gets a data folder of its own")
        self._display.say(
            "\n".join(f"  {name:<14} {text}" for name, text in lines.items()),
            api=settings.api_url,
            folder=str(settings.folder),
            node=self._node.rpc_url if self._node else None,
            pids={service.name: service.pid for service in self._services}
            | ({"node": self._node.pid} if self._node else {}),
        )
        self._display.say(f"all processes run after {self._elapsed_s():.1f} s; Ctrl-C stops them")

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started
