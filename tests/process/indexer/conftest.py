"""The command vault-indexer as people and service managers run it, and nodes that answer it as they please."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from eventstore.errors import StoreMissing
from eventstore.facts import ProgramFact
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import Progress, StoredFact
from localnet.tether import tethered

ROOT = Path(__file__).parents[3]
COMMAND = str(Path(sys.executable).with_name("vault-indexer"))
RECORDED = ROOT / "tests" / "recorded" / "transactions.ndjson"
IDL = ROOT / "programs" / "artifacts" / "vault_manager.json"
PROGRAM = "CVxtopwzPR1UqUTjThq2UqFvfYFxmDsCHpgD6FjcjyGk"
GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
DEPOSIT = "4A9u1d5tTRE7gqEAa59W9nQz8CsUpGwoaTDDmMy5AQjUK2KdUkkqRXN33FDTy6vmhk4mwTKZ9php5vfNUZWAw3Ep"
"""A recorded transaction."""
DEADLINE_S = 60.0
POLL_S = 0.01
STOP_S_MAX = 5.0
SECRET = "s3cr3t"
"""Is in every part of our URLs that may hold a key, and must never be read anywhere."""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line that it leaves when it refuses; the log, which is JSON, is not counted."""
        assert self.code == 1, self
        lines = [line for line in self.err.splitlines() if not line.startswith('{"')]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("vault-indexer: ")
        return lines[0]


class Running:
    """A started command; what it says goes to files."""

    def __init__(self, process: asyncio.subprocess.Process, out: Path, err: Path) -> None:
        self.process, self._out, self._err = process, out, err

    async def end(self) -> Done:
        """Waits for it."""
        async with asyncio.timeout(DEADLINE_S):
            code = await self.process.wait()
        done = Done(code, self._out.read_text(), self.said)
        for text in (done.out, done.err):
            assert SECRET not in text
            assert "Traceback" not in text
            assert "Exception ignored" not in text
        return done

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> Done:
        """Asks for a clean end, and insists on one, soon."""
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        self.process.send_signal(number)
        done = await self.end()
        assert done.code == 0, done
        assert loop.time() - asked_s < STOP_S_MAX, done
        return done

    @property
    def said(self) -> str:
        """On stderr, so far."""
        return self._err.read_text()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log's lines of that event so far."""
        lines = [json.loads(line) for line in self.said.splitlines() if line.startswith('{"') and line.endswith("}")]
        return [line for line in lines if line["event"] == event]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """What another process does sets no event of ours; that it goes on running is a condition as well."""

        def holds() -> bool:
            assert self.process.returncode is None, f"it ended before {what}: {self.said}"
            return condition()

        await until(holds, what)

    async def until_logged(self, event: str) -> None:
        await self.until(lambda: bool(self.logged(event)), event)


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():  # noqa: ASYNC110 what other processes do sets no event of ours
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        pytest.fail(f"not within {DEADLINE_S} s: {what}")


class Indexer:
    """Starts the command on one store, with settings that make it quick, and ends what it started."""

    def __init__(self, folder: Path, rpc_url: str) -> None:
        self.folder = folder
        self.path = folder / "events.db"
        self.url = f"sqlite:///{self.path}"
        self.settings = {
            "EVENT_STORE_URL": self.url,
            "RPC_URLS": rpc_url,
            "POLL_INTERVAL_S": "0.05",
            "COVERAGE_INTERVAL_S": "0.05",
        }
        self._numbers = itertools.count()
        self._started: list[asyncio.subprocess.Process] = []

    async def start(
        self,
        *arguments: str,
        before: Callable[[], None] | None = None,
        settings: Mapping[str, str | None] | None = None,
    ) -> Running:
        """`vault-indexer run` without arguments. Settings without VAULT_; one of None is left out."""
        number = next(self._numbers)
        self.folder.mkdir(parents=True, exist_ok=True)
        out, err = self.folder / f"{number}.out", self.folder / f"{number}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *tethered([COMMAND, *(arguments or ("run",))]),
                env=self._environment(settings or {}),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                preexec_fn=before,
                start_new_session=True,
            )
        self._started.append(process)
        return Running(process, out, err)

    async def run(
        self,
        *arguments: str,
        before: Callable[[], None] | None = None,
        settings: Mapping[str, str | None] | None = None,
    ) -> Done:
        """To its end."""
        return await (await self.start(*arguments, before=before, settings=settings)).end()

    def _environment(self, settings: Mapping[str, str | None]) -> dict[str, str]:
        ours = {f"VAULT_{name}": value for name, value in {**self.settings, **settings}.items() if value is not None}
        return {**os.environ, **ours}

    def facts(self) -> list[StoredFact]:
        try:
            reader = open_fact_reader(self.url)
        except StoreMissing:
            return []
        with closing(reader):
            return reader.read_after(0, 1_000_000)

    def events(self) -> list[tuple[str, int, int, str]]:
        """(signature, slot, ordinal, name) of all program events, in order of position."""
        facts = [stored.fact for stored in self.facts()]
        return [(f.signature, f.slot, f.ordinal, type(f).__name__) for f in facts if isinstance(f, ProgramFact)]

    def progress(self) -> Progress:
        """Raises StoreMissing."""
        with closing(open_ingest_store(self.url, create=False)) as store:
            return store.progress()

    def covers(self, slot: int) -> bool:
        try:
            return self.progress().coverage >= slot
        except StoreMissing:
            return False

    async def end_all(self) -> None:
        for process in self._started:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


class Node:
    """A node that tells the recorded transactions, or whatever `answer` makes of a request."""

    def __init__(self) -> None:
        self.answer: Answer = self.honest
        self.genesis = GENESIS
        self.finalized = 0
        self.finalized_block: str | None = "hash"
        """How the hashes of blocks begin; None when all slots are skipped, so that nothing can be covered."""
        self.is_program = True
        self.transactions: dict[str, dict[str, Any]] = {}
        """By signature, the lowest slot first."""
        self.asked: list[tuple[str, list[Any]]] = []
        self.server: TestServer
        self.url = ""

    def add(self, transaction: dict[str, Any]) -> None:
        self.transactions[transaction["transaction"]["signatures"][0]] = transaction
        self.finalized = max(self.finalized, transaction["slot"] + 31)

    async def start(self) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.answer(request)

        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{key:.*}", handle)
        self.server = TestServer(app, skip_url_asserts=True)
        await self.server.start_server(shutdown_timeout=0.0)
        self.url = f"http://user:{SECRET}@127.0.0.1:{self.server.port}/v2/{SECRET}?key={SECRET}"

    async def honest(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        self.asked.append((call["method"], call["params"]))
        result = getattr(self, call["method"])(*call["params"])
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], "result": result})

    def getGenesisHash(self) -> object:  # noqa: N802 the node's own name
        return self.genesis

    def getVersion(self) -> object:  # noqa: N802
        return {"solana-core": "4.1.2", "feature-set": 1}

    def getSlot(self, options: dict[str, Any]) -> object:  # noqa: N802
        return self.finalized

    def getFirstAvailableBlock(self) -> object:  # noqa: N802
        return 0

    def getAccountInfo(self, address: str, options: dict[str, Any]) -> object:  # noqa: N802
        is_there = address == PROGRAM and self.is_program
        return {"context": {"slot": self.finalized}, "value": {"executable": True} if is_there else None}

    def getSignaturesForAddress(self, address: str, options: dict[str, Any]) -> object:  # noqa: N802
        names = list(reversed(self.transactions))
        start = names.index(options["before"]) + 1 if "before" in options else 0
        page = [self.transactions[name] for name in names[start : start + options["limit"]]]
        return [
            {"signature": t["transaction"]["signatures"][0], "slot": t["slot"], "blockTime": t["blockTime"]}
            for t in page
        ]

    def getTransaction(self, signature: str, options: dict[str, Any]) -> object:  # noqa: N802
        return self.transactions.get(signature)

    def getBlock(self, slot: int, options: dict[str, Any]) -> object:  # noqa: N802
        signatures = [name for name, t in self.transactions.items() if t["slot"] == slot]
        if options["transactionDetails"] == "none" and self.finalized_block is None:
            return None
        return {"blockhash": f"{self.finalized_block}-{slot}", "parentSlot": slot - 1, "signatures": signatures}

    def getBlockTime(self, slot: int) -> object:  # noqa: N802
        return 1_700_000_000 + slot

    def getSignatureStatuses(self, signatures: list[str], options: dict[str, Any]) -> object:  # noqa: N802
        found = [self.transactions.get(name) for name in signatures]
        return {"value": [t and {"slot": t["slot"], "confirmationStatus": "finalized"} for t in found]}


MakeNode = Callable[[], Awaitable[Node]]
MakeIndexer = Callable[[str, str], Indexer]


def recorded() -> list[dict[str, Any]]:
    transactions = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    return sorted(transactions, key=lambda t: int(t["slot"]))


def copies(count: int) -> list[dict[str, Any]]:
    """Of a recorded deposit, each with a signature and a slot of its own."""
    text = next(line for line in RECORDED.read_text().splitlines() if DEPOSIT in line)
    made = []
    for number in range(count):
        copy = json.loads(text)
        copy["slot"] = 1_000 + number
        copy["transaction"]["signatures"] = [f"copy{number}"]
        made.append(copy)
    return made


@pytest.fixture
async def make_node() -> AsyncIterator[MakeNode]:
    """With nothing to tell."""
    made: list[Node] = []

    async def make() -> Node:
        made.append(Node())
        await made[-1].start()
        return made[-1]

    yield make
    for node in made:
        await node.server.close()


@pytest.fixture
async def node(make_node: MakeNode) -> Node:
    """Tells what was recorded."""
    node = await make_node()
    for transaction in recorded():
        node.add(transaction)
    return node


@pytest.fixture
async def make_indexer(tmp_path: Path) -> AsyncIterator[MakeIndexer]:
    """By a name, which is its folder, and the node's URL."""
    made: list[Indexer] = []

    def make(name: str, rpc_url: str) -> Indexer:
        made.append(Indexer(tmp_path / name, rpc_url))
        return made[-1]

    yield make
    for indexer in made:
        await indexer.end_all()


@pytest.fixture
def indexer(make_indexer: MakeIndexer, node: Node) -> Indexer:
    return make_indexer("indexer", node.url)
