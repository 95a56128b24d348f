"""One schedule: the real indexer on a seeded chain, with failing endpoints, killed wherever it waits or writes."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from eventstore.errors import StoreBusy
from eventstore.port import IngestStore
from eventstore.sqlite_store import SQLiteEventStore
from indexer.attach import attach
from indexer.chain import RpcChain
from indexer.decode import Decoder
from indexer.endpoint import Endpoint
from indexer.errors import ChainUnavailable
from indexer.fetch import Fetcher
from indexer.hint import Hint
from indexer.idl_file import load_idl
from indexer.ingest import Ingest, Pace
from indexer.rpc import RpcClient
from indexer.settlement import Settlement
from indexer.sweep import Sweep
from tests.simulation import virtual_time
from tests.simulation.chain_model import FINAL_AFTER, IDL_PATH, PROGRAM, SLOT_S, ChainModel
from tests.simulation.nodes import (
    INDEX_LAG_SLOTS_MAX,
    LATE_LAG_SLOTS_MAX,
    Faults,
    Node,
    SimulatedEndpoint,
    slot_at,
)
from tests.simulation.oracle import Findings, compare
from tests.simulation.projecting import Projecting, ProjectingParts

PACE = Pace(poll_interval_s=1.0, coverage_interval_s=2.0, resweep_interval_s=20.0)
CONCURRENCY = 16
LIVES_MAX = 12
PROJECTED_EVERY = 10
"""Of so many schedules one has projectors as well."""
SETTLES_WITHIN_S = 900.0
"""After the last fault; longer than all back-offs together."""
DECODER = Decoder(load_idl(IDL_PATH), PROGRAM)


class Killed(BaseException):
    """As kill -9: nothing after it runs that would not have run then, apart from Python's own clean-up."""


class Parts(NamedTuple):
    """What a schedule runs; sabotage replaces some of it."""

    sweep: type[Sweep] = Sweep
    fetcher: type[Fetcher] = Fetcher
    settlement: type[Settlement] = Settlement
    ingest: type[Ingest] = Ingest
    chain: type[RpcChain] = RpcChain
    store: Callable[[Path], IngestStore] = SQLiteEventStore
    projecting: ProjectingParts | None = None
    """The real ones in a part of the schedules, if none are given; else these in all."""


class MortalStore:
    """A store whose process dies now and then, just before or just after a transaction."""

    WRITES = ("append", "record_page", "settle", "find_gaps")

    def __init__(self, store: IngestStore, random: Random, rate: float) -> None:
        self._store, self._random, self._rate = store, random, rate

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        return self._dying(real) if name in self.WRITES else real

    def _dying(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            fate = self._random.random()
            if fate < self._rate:
                raise Killed
            if fate < 2 * self._rate:
                raise StoreBusy("simulated")
            result = write(*args, **options)
            if fate < 3 * self._rate:
                raise Killed
            return result

        return call


class World:
    def __init__(self, seed: int, folder: Path, parts: Parts) -> None:
        self.seed, self.parts = seed, parts
        self.chain = ChainModel(seed)
        self.path = folder / "events.db"
        self._random = Random(f"world {seed}")
        self.lists_late = self._random.random() < 0.1
        self._settled_from_s = 0.0
        self.endpoints = [self._endpoint(n) for n in range(self._random.randint(1, 3))]
        self.hides = len(self.endpoints) > 1 and self._random.random() < 0.2
        if self.hides:
            for node in self._random.choice(self.endpoints).nodes:
                node.hides = 0.1
        self._store_death_rate = self._random.choice([0.0, 0.01, 0.05])
        self.lives = 0
        self.refusals: list[str] = []

    def _endpoint(self, number: int) -> SimulatedEndpoint:
        behind = self._random.choice([1, 1, 1, 2])
        seeds = [f"node {self.seed} {number}"] * behind  # alike but for their lag
        nodes = [Node(self.chain, seed, now_slot=self._slot) for seed in seeds]
        lags_index = self.lists_late or self._random.random() < 0.3
        for node in nodes:
            node.lags_index = lags_index
            node.index_lag_max = LATE_LAG_SLOTS_MAX if self.lists_late else INDEX_LAG_SLOTS_MAX
        faults = Faults(f"faults {self.seed} {number}")
        return SimulatedEndpoint(f"node{number}", nodes, faults, Random(f"balance {self.seed} {number}"))

    def _slot(self) -> int:
        return slot_at(asyncio.get_running_loop().time())

    async def run(self) -> Findings:
        begins_s = self._random.choice([0.0, 0.0, 10.0, (self.chain.slots + FINAL_AFTER) * SLOT_S])
        faults_end_s = begins_s + (self.chain.slots + FINAL_AFTER) * SLOT_S * 1.2
        await asyncio.sleep(begins_s)
        loop = asyncio.get_running_loop()
        projecting = self._projecting()
        disturbing = asyncio.create_task(self._disturb())
        while loop.time() < faults_end_s and self.lives < LIVES_MAX:
            await self._live(self._random.expovariate(1 / 12), death_rate=self._store_death_rate)
        await asyncio.sleep(max(faults_end_s - loop.time(), 0))
        disturbing.cancel()
        self._heal()
        await self._live(SETTLES_WITHIN_S, death_rate=0.0)
        wrong = [] if projecting is None else await projecting.end(self.chain.events())
        findings = self._findings()
        return findings._replace(wrong=[*findings.wrong, *wrong])

    def _projecting(self) -> Projecting | None:
        if self.parts.projecting is None and self.seed % PROJECTED_EVERY:
            return None
        return Projecting(self.seed, self.path, self.path.parent, self.parts.projecting or ProjectingParts())

    async def _live(self, seconds: float, *, death_rate: float) -> None:
        """One process, from its start until it dies, is killed, or has covered everything."""
        self.lives += 1
        with ExitStack() as stack:
            store = self.parts.store(self.path)
            stack.callback(store.close)
            epoch = store.acquire_lease(f"life {self.lives}")
            mortal: Any = MortalStore(store, self._random, death_rate)
            living = asyncio.create_task(self._indexer(mortal, epoch))
            try:
                async with asyncio.timeout(seconds):
                    while not living.done() and not (death_rate == 0.0 and self._is_done(store)):
                        await asyncio.wait([living], timeout=1.0)
            except TimeoutError:
                pass
            living.cancel()
            with suppress(asyncio.CancelledError, Killed):
                await living
        await asyncio.sleep(self._random.choice([0.0, 0.5, 5.0]))

    async def _indexer(self, store: IngestStore, epoch: int) -> None:
        async def vet(endpoint: Endpoint) -> None:
            await attach(self._chain(RpcClient([endpoint])), store, "events.db", PROGRAM)

        async with RpcClient(self.endpoints, vet=vet, concurrency=CONCURRENCY) as rpc:
            while True:
                with suppress(ChainUnavailable):
                    await rpc.vet_all()
                    break
                await asyncio.sleep(1.0)
            chain, hint = self._chain(rpc), Hint()
            sweep = self.parts.sweep(chain, store, epoch, PROGRAM)
            fetcher, settlement = self.parts.fetcher(chain, DECODER), self.parts.settlement(chain, store, epoch)
            ingest = self.parts.ingest(chain, store, epoch, sweep, fetcher, settlement, hint, PACE)
            hinting = asyncio.create_task(self._hint(hint))
            try:
                await ingest.run(asyncio.Event())
            finally:
                hinting.cancel()

    def _chain(self, rpc: RpcClient) -> RpcChain:
        return self.parts.chain(rpc, commitment="confirmed", max_transaction_version=0)

    async def _hint(self, hint: Hint) -> None:
        """Of new slots; some hints get lost, some say nothing."""
        while True:
            await asyncio.sleep(self._random.choice([0.4, 0.4, 1.2, 4.0]))
            hint.arrived(self._slot() + self._random.choice([-1, 0, 1]))

    async def _disturb(self) -> None:
        """Nodes fall behind and catch up, and prune what is old; one of them keeps everything."""
        while True:
            await asyncio.sleep(self._random.uniform(1, 8))
            endpoint = self._random.choice(self.endpoints)
            node = self._random.choice(endpoint.nodes)
            node.lag_slots = self._random.choice([0, 0, 1, 10, 25, 45])
            if endpoint is not self.endpoints[0]:
                node.first_available = self._random.choice([0, node.head // 2])
            lost = self._random.randint(0, self.chain.slots)
            node.lost_blocks = range(lost, lost + self._random.choice([0, 3, 30]))

    def _heal(self) -> None:
        if self.lists_late or self.hides:  # until each endpoint was walked again
            passes = 2 + len(self.endpoints)
            self._settled_from_s = asyncio.get_running_loop().time() + passes * PACE.resweep_interval_s
        for endpoint in self.endpoints:
            endpoint.faults.on = False
            for node in endpoint.nodes:
                node.lag_slots, node.first_available, node.lags_index, node.lost_blocks = 0, 0, False, range(0)

    def _is_done(self, store: IngestStore) -> bool:
        if asyncio.get_running_loop().time() < self._settled_from_s:
            return False
        progress = store.progress()
        return progress.coverage >= self.chain.slots and progress.owed == 0 and progress.unsettled == 0

    def _findings(self) -> Findings:
        store = SQLiteEventStore(self.path)
        try:
            return compare(self.chain, store)
        finally:
            store.close()


def run_schedule(seed: int, parts: Parts = Parts()) -> Findings:  # noqa: B008 a frozen value
    shared_memory = Path("/dev/shm")  # where a commit costs no disk
    with tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None) as folder:
        world = World(seed, Path(folder), parts)
        findings: Findings = virtual_time.run(world.run)
        return findings
