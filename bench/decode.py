"""How fast transactions become events, JSON parsing included, and how that compares to other decoders.

Ours reads the same transactions twice: as a program emits with `emit!`, and as it emits with `emit_cpi!`, which the
others cannot read. Files are read, and the input is made, before the clock starts. The ratios count: absolute figures
do not travel between machines.

With `--peers FOLDER` the peers of that harness (its `peers.sh`, installed by `peers.sh install`) and ours take turns in
one run, on its input. The harness runs ours by `--as-peer`, which its PEERS_EXTRA wants: a line of JSON per figure.

    python -m bench.decode --help
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from bench.decode_input import Input, generated, recorded
from indexer.decode import Decoder, ProgramEvent
from indexer.idl import parse_idl
from indexer.transaction import parse_transaction

OURS, OURS_SELF_CALLED = "ours, emit!", "ours, emit_cpi!"
SELF_CALLED_TARGET = 0.8
"""Of our own rate with `emit!`."""
PEERS = "carbon subsquid anchor-js anchorpy"
LIMITS = "limit-decode rust-bare"
"""No decoders: loops for this input alone, which show what language and machine have room for."""


class Figure(NamedTuple):
    name: str
    events_per_second: float
    """Median of all runs of ours, of the best of each process of a peer."""
    ratio: float
    """To the fastest peer; without peers, to ours with `emit!`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="transactions (default: 20000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each takes its turn (default: 5)")
    parser.add_argument("--runs", type=int, default=3, help="in each turn; the best counts (default: 3)")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="run the peers of this harness in the same rounds")
    parser.add_argument("--limits", action="store_true", help="with --peers: its loops for this input alone as well")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--as-peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_peer:
        for row in as_peer(recorded(Path(os.environ["PEERS_DATA"])), int(os.environ["PEERS_RUNS"])):
            print(json.dumps(row), flush=True)
        return
    rounds = list(among_peers(options) if options.peers else alone(options))
    report(figures(rounds), as_json=options.json)


def alone(options: argparse.Namespace) -> Iterable[dict[str, Any]]:
    tell(f"making {options.count} transactions")
    made = generated(options.count)
    for number in range(options.rounds):
        tell(f"round {number + 1} of {options.rounds}")
        yield from as_peer(made, options.runs)


def among_peers(options: argparse.Namespace) -> Iterable[dict[str, Any]]:
    """Rounds of the harness; it says on standard error who has the turn."""
    harness = str(options.peers.resolve() / "peers.sh")
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as results:
        environment = os.environ | {
            "ROUNDS": str(options.rounds),
            "PEERS_RUNS": str(options.runs),
            "PEERS": f"{PEERS} {LIMITS}" if options.limits else PEERS,
            "PEERS_EXTRA": f"cd '{Path(__file__).parents[1]}' && '{sys.executable}' -m bench.decode --as-peer",
            "RESULTS": results.name,
        }
        subprocess.run([harness, "gen", str(options.count)], env=environment, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([harness, "all", str(options.count)], env=environment, check=True, stdout=subprocess.DEVNULL)
        lines = Path(results.name).read_text().splitlines()
    return [row for line in lines if line.startswith("{") and (row := json.loads(line))["workload"] == "decode"]


def as_peer(given: Input, runs: int) -> list[dict[str, Any]]:
    """The two inputs take turns; the best run of each counts, as with the peers."""
    ways = {OURS: given.emitted, OURS_SELF_CALLED: given.self_called}
    took_s: dict[str, list[float]] = {name: [] for name in ways}
    decode = decoding(given)
    for _ in range(runs):
        for name, lines in ways.items():
            began_s = time.perf_counter()
            events = decode(lines)
            took_s[name].append(time.perf_counter() - began_s)
            check(events, given)
    return [row(name, len(ways[name]), seconds) for name, seconds in took_s.items()]


def decoding(given: Input) -> Callable[[list[bytes]], list[ProgramEvent]]:
    """What `vault-indexer decode` does up to its writing."""
    decoder = Decoder(parse_idl(given.idl), given.program, event_sources="both")

    def decode(lines: list[bytes]) -> list[ProgramEvent]:
        events: list[ProgramEvent] = []
        for line in lines:
            decoded = decoder.decode(parse_transaction(line))
            assert decoded.incomplete is None
            events += decoded.events
        return events

    return decode


def check(events: list[ProgramEvent], given: Input) -> None:
    amounts = sum(amount for event in events if isinstance(amount := event.fields["amount"], int))
    assert (len(events), amounts) == (len(given.emitted), given.amounts), "not the events that went in"


def row(name: str, count: int, seconds: list[float]) -> dict[str, Any]:
    rate = {"seconds": min(seconds), "per_second": round(count / min(seconds)), "max_seconds": max(seconds)}
    return {"peer": name, "workload": "decode", "n": count, "runs": len(seconds), **rate}


def figures(rows: Iterable[dict[str, Any]]) -> list[Figure]:
    rates: dict[str, list[float]] = {}
    for one in rows:
        rates.setdefault(one["peer"], []).append(one["n"] / one["seconds"])
    limits = ("python-limit", "rust-bare")
    peers = [name for name in rates if not name.startswith((*limits, "ours"))]
    against = max(peers, key=lambda name: statistics.median(rates[name])) if peers else OURS
    ratios = {
        name: statistics.median(mine / theirs for mine, theirs in zip(rates[name], rates[against], strict=True))
        for name in rates
    }
    made = [Figure(name, round(statistics.median(rates[name])), round(ratios[name], 2)) for name in rates]
    return sorted(made, key=lambda figure: -figure.events_per_second)


def report(found: list[Figure], *, as_json: bool) -> None:
    rate = {figure.name: figure.events_per_second for figure in found}
    self_called = round(rate[OURS_SELF_CALLED] / rate[OURS], 2)
    if as_json:
        results = [figure._asdict() for figure in found]
        print(json.dumps({"results": results, "self_called": self_called, "self_called_target": SELF_CALLED_TARGET}))
        return
    print(f"{'decoder':<46}{'events/s':>10}{'ratio':>7}")
    for figure in found:
        print(f"{figure.name:<46}{figure.events_per_second:>10,.0f}{figure.ratio:>7.2f}")
    missed = "" if self_called >= SELF_CALLED_TARGET else f", below the target of {SELF_CALLED_TARGET}"
    print(f"emit_cpi! runs at {self_called:.2f} of emit!{missed}")


def tell(progress: str) -> None:
    print(progress, file=sys.stderr)


if __name__ == "__main__":
    main()
