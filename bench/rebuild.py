"""How fast read models are rebuilt, beside the least that Python needs for it.

A store is filled with traffic, four events a second of the chain's time: half of them deposits, the others
withdrawals, locks, unlocks and transfers, one to a transaction, and coverage as it goes. Then `vault-projector rebuild`
makes all read models of it in SQLite files: built, indexed, proved by the independent fold, digested, flipped to. Rates
are the store's events per second of the whole command, but for the start of Python; the memory is the most that one
of its processes took. The ways take turns. Ratios are medians of the rounds' own, to one process that reads and
decodes the same facts and folds them into balances in memory, and keeps nothing.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import structs

from eventstore.facts import ChainFact, CollateralTransferred, CoverageAdvanced, Fact, ProgramFact, VaultFact
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import IngestStore
from tests.unit.projections.histories import Kind, Ledger, Step

EVENTS_PER_S = 4
START_S = 1_700_000_000
START_SLOT = 300_000_000
KINDS: tuple[Kind, ...] = ("deposit",) * 5 + ("withdraw", "withdraw", "lock", "unlock", "transfer")
BATCH = 5_000
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
FOLD, ALL, WORKERS, VAULTS = "read and fold in memory", "all", "all, two workers", "vaults alone"
OPTIONS = {ALL: [], WORKERS: ["--workers", "2"], VAULTS: ["--projection", "vaults"]}
TARGETS = {ALL: 15_000.0, VAULTS: 50_000.0}
WORKERS_TARGET = 1.6
"""Of the rate of one process."""
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True)
last = json.loads(done.stdout.splitlines()[-1])
print(json.dumps({**last, "kib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}))
"""


class Traffic:
    """A ledger's facts, with names and places as long as the chain's."""

    def __init__(self, vaults: int) -> None:
        self._random, self._vaults, self._count = random.Random(1), vaults, 0
        self._ledger = Ledger(vaults)
        self._names: dict[str, str] = {}

    def batch(self) -> Iterator[Fact]:
        """A step makes one event, or two where a vault is new."""
        r = self._random
        for _ in range(BATCH):
            step = Step(r.choice(KINDS), r.randrange(self._vaults), r.randrange(self._vaults), r.getrandbits(30), False)
            self._ledger.take([step])
        facts, self._ledger.facts = self._ledger.facts, []
        for fact in facts:
            yield self._placed(fact)

    def coverage(self) -> CoverageAdvanced:
        time_s, slot = self._now()
        return CoverageAdvanced(through_slot=slot - 1, block_time=time_s - 1, blockhash=self._text(44))

    def _placed(self, fact: Fact) -> Fact:
        assert isinstance(fact, ProgramFact), fact
        self._count += 1
        time_s, slot = self._now()
        named = {name: self._named(value) for name, value in structs.asdict(fact).items() if name in NAMES}
        place = {"slot": slot, "transaction_index": self._count % 2_000, "block_time": time_s, "timestamp": time_s}
        placed = structs.replace(fact, **named, **place, signature=self._text(88))
        assert isinstance(placed, Fact)
        return placed

    def _now(self) -> tuple[int, int]:
        """Time and slot."""
        seconds = self._count // EVENTS_PER_S
        return START_S + seconds, START_SLOT + seconds * 5 // 2

    def _named(self, name: str) -> str:
        return self._names.setdefault(name, self._text(44))

    def _text(self, length: int) -> str:
        return "".join(self._random.choices(BASE58, k=length))


NAMES = {"vault", "owner", "token_account", "mint", "program", "from_vault", "from_owner", "to_vault", "to_owner"}


def fill(store: IngestStore, events: int, vaults: int) -> None:
    traffic, epoch, stored = Traffic(vaults), store.acquire_lease("bench"), 0
    while stored < events:
        stored += store.append(list(traffic.batch())[: events - stored]).stored
        coverage = traffic.coverage()
        store.record_page(epoch, store.next_walk(coverage.through_slot), [], None, met_floor=True)
        store.append([coverage], epoch=epoch)
        tell(f"{stored:,} of {events:,} events are stored")


class Measured(NamedTuple):
    per_second: float
    mb: float
    """The most memory that one process took."""
    digests: dict[str, str]


def rebuild(events_url: str, folder: Path, options: list[str]) -> Measured:
    with tempfile.TemporaryDirectory(dir=folder) as models:
        settings = {"VAULT_EVENT_STORE_URL": events_url, "VAULT_READ_MODELS_URL": f"sqlite:///{models}"}
        command = [str(Path(sys.executable).with_name("vault-projector")), "rebuild", "--json", *options]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *command],
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            check=True,
        )
    last: dict[str, Any] = json.loads(done.stdout)
    return Measured(last["eventsPerSecond"], round(last["kib"] / 1024, 1), last["digests"])


def fold(events_url: str) -> Measured:
    """The balances after each vault's last fact: traffic is in chain order."""
    balances: dict[str, int] = {}
    position, count, began_s = 0, 0, time.perf_counter()
    with closing(open_fact_reader(events_url)) as facts:
        while batch := facts.read_after(position, BATCH):
            for stored in batch:
                match stored.fact:
                    case VaultFact():
                        balances[stored.fact.vault] = stored.fact.total_balance
                    case CollateralTransferred():
                        balances[stored.fact.from_vault] = stored.fact.from_total_balance
                        balances[stored.fact.to_vault] = stored.fact.to_total_balance
                    case ChainFact():
                        pass
            position, count = batch[-1].position, count + len(batch)
    return Measured(count / (time.perf_counter() - began_s), 0.0, {})


class Result(NamedTuple):
    way: str
    events_per_second: float
    worst_per_second: float
    ratio: float
    """To reading and folding in memory."""
    to_one_process: float | None
    """Of workers, to the rate of one."""
    mb: float


def summary(way: str, rounds: list[dict[str, Measured]]) -> Result:
    rates = [one[way].per_second for one in rounds]
    both = [one[way].per_second / one[ALL].per_second for one in rounds] if way == WORKERS else None
    return Result(
        way,
        round(statistics.median(rates)),
        round(min(rates)),
        round(statistics.median(one[way].per_second / one[FOLD].per_second for one in rounds), 3),
        round(statistics.median(both), 2) if both else None,
        max(one[way].mb for one in rounds),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000, help="default: 200000; the standard size is 1000000")
    parser.add_argument("--vaults", type=int, default=20_000, help="default: 20000; of the standard size 100000")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many are told (default: 3)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args()
    rounds: list[dict[str, Measured]] = []
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        events_url = f"sqlite:///{name}/events.db"
        with closing(open_ingest_store(events_url)) as store:
            fill(store, options.events, options.vaults)
        for number in range(options.rounds):
            measured = {FOLD: fold(events_url)}
            for way, arguments in OPTIONS.items():
                measured[way] = rebuild(events_url, Path(name), arguments)
            assert measured[ALL].digests == measured[WORKERS].digests
            rounds.append(measured)
            tell(f"round {number + 1} of {options.rounds}")
    report([summary(way, rounds) for way in (FOLD, *OPTIONS)], options.events, options.vaults, load, options.json)


def report(results: list[Result], events: int, vaults: int, load: float, as_json: bool) -> None:
    if as_json:
        said = {
            "events": events,
            "vaults": vaults,
            "load": round(load, 2),
            "targets": {**TARGETS, WORKERS: WORKERS_TARGET},
        }
        print(json.dumps(said | {"results": [result._asdict() for result in results]}))
        return
    print(f"{events:,} events, {vaults:,} vaults; load of the machine before: {load:.2f}")
    print(f"{'way':<26}{'events/s':>10}{'worst':>9}{'ratio':>7}{'to one':>8}{'MB':>7}")
    for r in results:
        missed = r.events_per_second < TARGETS.get(r.way, 0) or (r.to_one_process or WORKERS_TARGET) < WORKERS_TARGET
        to_one = "" if r.to_one_process is None else f"{r.to_one_process:.2f}"
        line = (
            f"{r.way:<26}{r.events_per_second:>10,.0f}{r.worst_per_second:>9,.0f}{r.ratio:>7.3f}{to_one:>8}{r.mb:>7.0f}"
        )
        print(line + ("  below the target" if missed else ""))


def tell(progress: str) -> None:
    print(progress, file=sys.stderr)


if __name__ == "__main__":
    main()
