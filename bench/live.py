"""How long from a node's notification until the event is in the store: a local node with traffic, the real indexer.

The clock starts when a websocket subscriber of our own is told of the transaction, at the same commitment as the
indexer; it stops when a reader of the store sees the facts of that transaction. Both are in this process.

    PYTHONPATH=deploy python -m bench.live --help
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.indexer_process import indexer, store_url
from eventstore.facts import ChainFact, CoverageAdvanced
from eventstore.open import open_fact_reader
from localnet import programs
from localnet.node import LocalNode
from localnet.traffic import Traffic

TARGET_MS = 100.0
"""At the 99th percentile."""
POLL_S = 0.001
REST_S = 60.0
"""How long the last ones are waited for."""


@dataclass
class Market:
    """What is known of the traffic so far."""

    told_s: dict[str, float] = field(default_factory=dict)
    """When the node told of each signature."""
    seen_s: dict[str, float] = field(default_factory=dict)
    """When each signature's facts were there for a reader."""
    subscribed: asyncio.Event = field(default_factory=asyncio.Event)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    last_slot: int | None = None
    """Once nothing more is sent. A transaction that is not in the store when this is covered has no event."""

    def took_ms(self) -> list[float]:
        return sorted(1_000 * (self.seen_s[name] - self.told_s[name]) for name in self.told_s.keys() & self.seen_s)


async def main(options: argparse.Namespace) -> None:
    market = Market()
    done = asyncio.Event()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            LocalNode() as node,
            Traffic(node, users=5) as traffic,
            indexer(folder, node.rpc_url, WS_URL=node.ws_url) as service,
            asyncio.TaskGroup() as tasks,
        ):
            await service.wait_until_logged("hint_connected", REST_S)
            listening = tasks.create_task(listen(node.ws_url, market, options.count))
            reading = tasks.create_task(follow(store_url(folder), market))
            await market.subscribed.wait()
            trading = tasks.create_task(traffic.run(options.rate, done))
            await market.enough.wait()
            done.set()
            await trading
            market.last_slot = await traffic.market.client.slot()
            await asyncio.wait_for(reading, REST_S)
            listening.cancel()
    report(market.took_ms(), options)


async def listen(ws_url: str, market: Market, count: int) -> None:
    mentions = {"mentions": [str(programs.vault_manager().address)]}
    request = {"jsonrpc": "2.0", "id": 1, "method": "logsSubscribe", "params": [mentions, {"commitment": "confirmed"}]}
    async with aiohttp.ClientSession() as session, session.ws_connect(ws_url) as socket:
        await socket.send_json(request)
        async for message in socket:
            now_s = time.perf_counter()
            said = json.loads(message.data)
            if "result" in said:
                market.subscribed.set()
            elif said.get("method") == "logsNotification":
                market.told_s.setdefault(said["params"]["result"]["value"]["signature"], now_s)
                if len(market.told_s) >= count:
                    market.enough.set()


async def follow(url: str, market: Market) -> None:
    """Until the last slot is covered."""
    position, covered_slot = 0, -1
    with closing(open_fact_reader(url)) as reader:
        while market.last_slot is None or covered_slot < market.last_slot:
            page = reader.read_after(position, 1_000)
            now_s = time.perf_counter()
            for stored in page:
                position = stored.position
                if isinstance(stored.fact, ChainFact):
                    market.seen_s.setdefault(stored.fact.signature, now_s)
                elif isinstance(stored.fact, CoverageAdvanced):
                    covered_slot = stored.fact.through_slot
            await asyncio.sleep(POLL_S)


def report(took_ms: list[float], options: argparse.Namespace) -> None:
    found = {
        "transactions": len(took_ms),
        "per_second": options.rate,
        "median_ms": round(statistics.median(took_ms), 1),
        "p99_ms": round(took_ms[int(len(took_ms) * 0.99)], 1),
        "worst_ms": round(took_ms[-1], 1),
        "target_ms": TARGET_MS,
        "load": round(os.getloadavg()[0], 1),
    }
    if options.json:
        print(json.dumps(found))
        return
    missed = "" if found["p99_ms"] < TARGET_MS else "  above the target"
    print(
        f"notification to store, {found['transactions']} transactions, {options.rate:g} a second: "
        f"median {found['median_ms']} ms, p99 {found['p99_ms']} ms, worst {found['worst_ms']} ms "
        f"(target: p99 < {TARGET_MS:g} ms; load {found['load']}){missed}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=600, metavar="N", help="transactions (default: 600)")
    parser.add_argument("--rate", type=float, default=10.0, help="transactions a second (default: 10)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asyncio.run(main(parser.parse_args()))
