"""How fast the indexer catches up with a node, beside a client that only asks the same; and what memory it takes.

Against a local node with some traffic behind it, in turns: the bare client lists the program's signatures and fetches
each transaction, with as many requests in flight; the indexer does that from an empty store, and decodes and stores it.
Then, against a canned node with a long backlog, the indexer's peak of resident memory.

    PYTHONPATH=deploy python -m bench.catch_up --help
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import aiohttp

from bench.indexer_process import indexer, store_url
from eventstore.open import open_fact_reader
from localnet import programs
from localnet.node import LocalNode
from localnet.traffic import Traffic
from tests.process.indexer.conftest import Node, copies

CONCURRENCY = 16
PAGE = 1_000
MEMORY_MB_MAX = 200
POLL_S = 0.02
PATIENCE_S = 600.0


async def main(options: argparse.Namespace) -> None:
    bare, ours = await against_a_local_node(options)
    peak_mb = await memory_mb(options.backlog)
    found = {
        "transactions": options.count,
        "bare_per_second": round(statistics.median(bare)),
        "indexer_per_second": round(statistics.median(ours)),
        "ratio": round(statistics.median(ours) / statistics.median(bare), 2),
        "backlog": options.backlog,
        "peak_mb": round(peak_mb),
        "peak_mb_max": MEMORY_MB_MAX,
    }
    if options.json:
        print(json.dumps(found))
        return
    print(
        f"catching up with {options.count} transactions of a local node: {found['indexer_per_second']:,} a second, "
        f"a client that only fetches them {found['bare_per_second']:,}: {found['ratio']} of it"
    )
    missed = "" if peak_mb < MEMORY_MB_MAX else "  above the target"
    print(f"memory with a backlog of {options.backlog:,}: {peak_mb:.0f} MB (target: < {MEMORY_MB_MAX} MB){missed}")


async def against_a_local_node(options: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Transactions a second of the bare client, and of the indexer, in each round."""
    bare: list[float] = []
    ours: list[float] = []
    async with LocalNode() as node, Traffic(node, users=5) as traffic:
        await make_traffic(traffic, options.count)
        with tempfile.TemporaryDirectory() as name:
            for number in range(options.rounds):
                say(f"round {number + 1} of {options.rounds}")
                began_s = time.perf_counter()
                count = await fetch_all(node.rpc_url)
                bare.append(count / (time.perf_counter() - began_s))
                folder = Path(name) / str(number)
                folder.mkdir()
                ours.append(await index_all(folder, node.rpc_url, count))
    return bare, ours


async def make_traffic(traffic: Traffic, count: int) -> None:
    done = asyncio.Event()
    trading = asyncio.create_task(traffic.run(200.0, done))
    while traffic.transactions < count:
        say(f"traffic: {traffic.transactions} of {count} transactions")
        await asyncio.sleep(1.0)
    done.set()
    await trading


async def fetch_all(rpc_url: str) -> int:
    """Every transaction of the program, as the indexer asks for them; how many there are."""
    limit = asyncio.Semaphore(CONCURRENCY)
    async with aiohttp.ClientSession() as session:

        async def ask(method: str, *params: object) -> object:
            async with limit:
                body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                async with session.post(rpc_url, json=body) as response:
                    return json.loads(await response.read())["result"]

        options = {"encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 1}
        program = str(programs.vault_manager().address)
        names: list[str] = []
        while True:
            before = {"before": names[-1]} if names else {}
            page = await ask("getSignaturesForAddress", program, {"limit": PAGE, "commitment": "confirmed", **before})
            assert isinstance(page, list)
            names += [one["signature"] for one in page]
            if not page:
                break
        await asyncio.gather(*(ask("getTransaction", name, options) for name in names))
    return len(names)


async def index_all(folder: Path, rpc_url: str, count: int) -> float:
    """Transactions a second, from the start of the process's work until all of them are stored."""
    async with indexer(folder, rpc_url, RPC_CONCURRENCY=str(CONCURRENCY)):
        began_s = time.perf_counter()
        await wait_until_stored(folder, count)
        return count / (time.perf_counter() - began_s)


async def wait_until_stored(folder: Path, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while stored(folder) < count:  # noqa: ASYNC110 another process sets no event
            await asyncio.sleep(POLL_S)


def stored(folder: Path) -> int:
    with closing(open_fact_reader(store_url(folder))) as store, store.snapshot() as snapshot:
        return snapshot.evidence_count()


def peak_mb_of(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    peak_kb = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak_kb) / 1024


async def memory_mb(backlog: int) -> float:
    """The indexer's peak of resident memory while it takes up a backlog."""
    say(f"a backlog of {backlog:,} transactions")
    node = Node()
    for transaction in copies(backlog):
        node.add(transaction)
    await node.start()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            async with indexer(folder, node.url) as service:
                await wait_until_stored(folder, backlog)
                return peak_mb_of(service.pid)
    finally:
        await node.server.close()


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000, metavar="N", help="transactions (default: 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="the medians of so many are told (default: 3)")
    parser.add_argument("--backlog", type=int, default=50_000, metavar="N", help="transactions (default: 50000)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asyncio.run(main(parser.parse_args()))
