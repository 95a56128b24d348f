"""How fast facts are appended, as a ratio to the eventsourcing library's bare recorder on the same backend.

One event per transaction, in batches, with its evidence and vault index; the library's recorder stores the same events
and nothing else. Both take turns in one run; the ratios count, absolute figures do not travel between machines.

    PYTHONPATH=deploy python bench/append.py --help
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from eventstore import topics
from eventstore.facts import Deposited
from eventstore.identity import key_of
from eventstore.open import open_ingest_store
from eventstore.port import Evidence, Inclusion, IngestStore, Owed
from localpostgres.server import PostgresServer

RECORDED = Path(__file__).parent.parent / "tests" / "recorded" / "transactions.ndjson"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
VAULTS = 2_000
TARGET = 0.35

Append = Callable[[], None]
Prepare = Callable[[Sequence[Deposited], Sequence[Evidence]], Append]
"""What is not measured: making the traffic. Encoding it is, on both sides."""
BARE, OURS, SETTLING = "the library's bare recorder", "ours", "ours, settling what was owed"


class Backend(NamedTuple):
    name: str
    ways: dict[str, Prepare]
    before: Callable[[Sequence[Deposited]], None]
    """What the indexer did some time before it appends these; not measured."""


class Traffic:
    """Deposits of a chain that goes on, each with the transaction that a node would return."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.slot = 0
        self.vaults = [self._text(44) for _ in range(VAULTS)]
        self.templates = [
            (line, json.loads(line)["transaction"]["signatures"][0]) for line in RECORDED.read_text().splitlines()
        ]

    def batch(self, size: int) -> tuple[list[Deposited], list[Evidence]]:
        facts = [self._deposit() for _ in range(size)]
        return facts, [self._evidence(fact) for fact in facts]

    def _deposit(self) -> Deposited:
        self.slot += self.random.randint(0, 1)
        amount, total = self.random.randrange(10**9), self.random.randrange(10**12)
        vault = self.random.choice(self.vaults)
        return Deposited(
            signature=self._text(88),
            slot=300_000_000 + self.slot,
            transaction_index=self.random.randrange(2_000),
            ordinal=3 << 16,
            revision=0,
            block_time=1_700_000_000 + self.slot // 2,
            timestamp=1_700_000_000 + self.slot // 2,
            vault=vault,
            owner=vault[::-1],
            amount=amount,
            total_balance=total,
            locked_balance=total // 3,
            available_balance=total - total // 3,
        )

    def _evidence(self, fact: Deposited) -> Evidence:
        template, recorded_signature = self.random.choice(self.templates)
        body = template.replace(recorded_signature, fact.signature)
        body = f'{{"slot":{fact.slot},"accounts":["{fact.vault}","{fact.owner}"],{body[1:]}'
        endpoint = "https://rpc.example.org"
        return Evidence(
            fact.signature, fact.slot, fact.transaction_index, fact.block_time, body.encode(), endpoint, True
        )

    def _text(self, length: int) -> str:
        return "".join(self.random.choices(BASE58, k=length))


def library(recorder: ApplicationRecorder) -> Prepare:
    def prepare(facts: Sequence[Deposited], _evidence: Sequence[Evidence]) -> Append:
        def append() -> None:
            recorder.insert_events([StoredEvent(*key_of(f), topics.topic_of(f), topics.encode(f)) for f in facts])

        return append

    return prepare


def ours(store: IngestStore, epoch: int | None = None) -> Prepare:
    """With an epoch, what was owed is settled."""

    def prepare(facts: Sequence[Deposited], evidence: Sequence[Evidence]) -> Append:
        settles = [] if epoch is None else [Inclusion(fact.signature, fact.slot) for fact in facts]

        def append() -> None:
            assert store.append(facts, evidence, no_longer_owed=settles, epoch=epoch).stored == len(facts)

        return append

    return prepare


@contextmanager
def sqlite(folder: Path) -> Iterator[Backend]:
    datastore = SQLiteDatastore(str(folder / "library.db"))
    with closing(datastore), open_two(*(f"sqlite:///{folder}/{n}.db" for n in (OURS[:4], "settling"))) as stores:
        recorder = SQLiteApplicationRecorder(datastore)
        recorder.create_table()
        yield backend("sqlite", recorder, *stores)


@contextmanager
def postgresql() -> Iterator[Backend]:
    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer())
        stores = stack.enter_context(open_two(server.new_database(), server.new_database()))
        datastore = PostgresDatastore("postgres", "127.0.0.1", server.port, "postgres", "", pool_size=1)
        recorder = PostgresApplicationRecorder(stack.enter_context(datastore))
        recorder.create_table()
        yield backend("postgresql", recorder, *stores)


@contextmanager
def open_two(one: str, other: str) -> Iterator[tuple[IngestStore, IngestStore]]:
    with closing(open_ingest_store(one)) as first, closing(open_ingest_store(other)) as second:
        yield first, second


def backend(name: str, recorder: ApplicationRecorder, plain: IngestStore, owing: IngestStore) -> Backend:
    epoch = owing.acquire_lease("bench")

    def owe(facts: Sequence[Deposited]) -> None:
        head = max(fact.slot for fact in facts)
        found = [Owed(fact.signature, fact.slot, None) for fact in facts]
        owing.record_page(epoch, owing.next_walk(head), found, None, met_floor=True)

    return Backend(name, {BARE: library(recorder), OURS: ours(plain), SETTLING: ours(owing, epoch)}, owe)


def measure(backend: Backend, traffic: Traffic, size: int, batches: int) -> dict[str, float]:
    """Events per second of each way, which take turns batch by batch."""
    took_s = dict.fromkeys(backend.ways, 0.0)
    for _ in range(batches):
        facts, evidence = traffic.batch(size)
        backend.before(facts)
        for name, prepare in backend.ways.items():
            append = prepare(facts, evidence)
            began_s = time.perf_counter()
            append()
            took_s[name] += time.perf_counter() - began_s
    return {name: size * batches / seconds for name, seconds in took_s.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=["sqlite", "postgresql"], action="append", help="default: both")
    parser.add_argument("--batch", type=int, action="append", metavar="EVENTS", help="default: 500 and 1000")
    parser.add_argument("--rounds", type=int, default=5, help="the medians of so many are told (default: 5)")
    parser.add_argument("--batches", type=int, default=8, help="batches in a round (default: 8)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    results = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        opened = {"sqlite": lambda: sqlite(folder), "postgresql": postgresql}
        for name in options.backend or list(opened):
            with opened[name]() as backend:
                traffic = Traffic(seed=1)
                measure(backend, traffic, 500, 2)  # warm up
                sizes = options.batch or [500, 1_000]
                rounds: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
                for number in range(options.rounds):
                    for size in sizes:  # in turns as well: a store that has grown is slower
                        rounds[size].append(measure(backend, traffic, size, options.batches))
                    tell(f"{name}: round {number + 1} of {options.rounds}")
                results += [result for size in sizes for result in summaries(name, size, rounds[size])]
    report(results, as_json=options.json)


class Result(NamedTuple):
    backend: str
    batch: int
    way: str
    events_per_second: float
    ratio: float
    """Median of the rounds' ratios to the library's bare recorder."""


def summaries(backend: str, size: int, rounds: list[dict[str, float]]) -> list[Result]:
    return [
        Result(
            backend,
            size,
            way,
            round(statistics.median(one[way] for one in rounds)),
            round(statistics.median(one[way] / one[BARE] for one in rounds), 2),
        )
        for way in rounds[0]
    ]


def report(results: list[Result], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"target": TARGET, "results": [result._asdict() for result in results]}))
        return
    print(f"{'backend':<12}{'batch':>6}  {'way':<30}{'events/s':>10}{'ratio':>7}")
    for r in results:
        missed = "  below the target" if r.ratio < TARGET else ""
        print(f"{r.backend:<12}{r.batch:>6}  {r.way:<30}{r.events_per_second:>10,.0f}{r.ratio:>7.2f}{missed}")


def tell(progress: str) -> None:
    print(progress, file=sys.stderr)


if __name__ == "__main__":
    main()
