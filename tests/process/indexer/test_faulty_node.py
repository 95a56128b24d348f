"""Between the indexer and a real node stands what fails in every way it can: nothing lost, nothing doubled."""

import asyncio
import random
import signal
from collections.abc import Callable

import pytest

from localnet import client
from localnet.node import LocalNode
from localnet.traffic import Traffic
from tests.process.compared import compare
from tests.process.indexer.conftest import MakeIndexer
from tests.process.indexer.faulty_proxy import FaultyProxy

RATE = 10.0
"""Transactions a second."""
TIMEOUT_S = 0.5
TRANSACTIONS_MIN = 120
SETTINGS = {"POLL_INTERVAL_S": "0.5", "COVERAGE_INTERVAL_S": "0.5", "RPC_TIMEOUT_S": str(TIMEOUT_S)}


@pytest.mark.parametrize(("seed", "kills"), [(20261124, 0), (20261125, 5)])
async def test_through_a_proxy_that_fails_in_every_way_the_store_gets_exactly_what_the_chain_has(
    make_indexer: MakeIndexer, say: Callable[[str], None], seed: int, kills: int
) -> None:
    """And with `kill -9` of the indexer meanwhile."""
    chance, done, killed = random.Random(seed), asyncio.Event(), 0
    async with (
        LocalNode() as node,
        Traffic(node, seed=seed, users=4) as traffic,
        FaultyProxy(node.rpc_url, node.ws_url, seed=seed, late_s=2 * TIMEOUT_S) as proxy,
        client.connect(node.rpc_url) as direct,
    ):
        indexer = make_indexer("indexer", proxy.url)
        settings = SETTINGS | {"WS_URL": proxy.url.replace("http://", "ws://")}
        running = await indexer.start(settings=settings)
        trading = asyncio.create_task(traffic.run(RATE, done))
        while killed < kills:
            enough = len(indexer.facts()) + chance.randint(1, 8)
            await running.until(lambda enough=enough: len(indexer.facts()) >= enough, f"{enough} facts")  # type: ignore[misc]  # a lambda's default has no type
            running.process.send_signal(signal.SIGKILL)
            await running.process.wait()
            killed += 1
            running = await indexer.start(settings=settings)
        await running.until(lambda: not proxy.not_yet(), f"all faults (seed {seed}), not {proxy.not_yet()}")
        await running.until(lambda: traffic.transactions >= TRANSACTIONS_MIN, "traffic")
        done.set()
        await trading
        proxy.is_faulty = False
        last_slot = await direct.slot()
        await running.until(lambda: indexer.covers(last_slot), f"coverage of slot {last_slot} (seed {seed})")
        found = await compare(indexer.url, direct)
        await running.stop()
    say(f"{proxy.requests} requests, {killed} kills (seed {seed}), {found}; faults: {dict(proxy.faults)}")
    assert found.is_exact
    assert (found.events, found.failed) == (sum(traffic.events.values()), traffic.failed)
    assert indexer.progress().owed == 0
