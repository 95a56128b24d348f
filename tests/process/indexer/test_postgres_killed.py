"""The PostgreSQL server dies again and again under the real indexer, which follows a real node with traffic."""

import asyncio
from collections.abc import Callable

from eventstore.open import open_ingest_store
from localnet import client
from localnet.node import LocalNode
from localnet.traffic import Traffic
from localpostgres.server import PostgresServer
from tests.process.compared import compare
from tests.process.indexer.conftest import MakeIndexer

DEATHS = 6
MORE_FACTS = 12
"""Between one death and the next."""
MORE_TRANSACTIONS = 5
"""While the server is away."""
RATE = 15.0
"""Transactions a second."""


async def test_a_server_killed_under_the_real_indexer_loses_nothing_and_doubles_nothing(
    make_indexer: MakeIndexer, say: Callable[[str], None]
) -> None:
    done = asyncio.Event()
    with PostgresServer() as server:  # it syncs, as one in production does
        async with LocalNode() as node, Traffic(node, seed=5, users=4) as traffic, client.connect(node.rpc_url) as rpc:
            indexer = make_indexer("indexer", node.rpc_url)
            indexer.url = indexer.settings["EVENT_STORE_URL"] = server.new_database()
            running = await indexer.start(settings={"WS_URL": node.ws_url})
            trading = asyncio.create_task(traffic.run(RATE, done))
            for death in range(DEATHS):
                enough = len(indexer.facts()) + MORE_FACTS
                await running.until(lambda enough=enough: len(indexer.facts()) >= enough, "more facts")  # type: ignore[misc]  # a lambda's default has no type
                (server.kill if death % 2 else server.stop_at_once)()
                sent = traffic.transactions
                await running.until(lambda sent=sent: traffic.transactions >= sent + MORE_TRANSACTIONS, "traffic")  # type: ignore[misc]  # as above
                await asyncio.to_thread(server.run)
            done.set()
            await trading
            last_slot = await rpc.slot()
            await running.until(lambda: indexer.covers(last_slot), f"coverage of slot {last_slot}")
            found = await compare(indexer.url, rpc)
            waits = len(running.logged("waiting"))
            assert indexer.progress().owed == 0
            await running.stop()
        store = open_ingest_store(indexer.url)
        assert store.acquire_lease("the next") == 2, "the indexer kept its epoch through all of it"
        store.close()
    say(f"{DEATHS} deaths of PostgreSQL under the indexer, {found}; it waited {waits} times")
    assert found.is_exact
    assert (found.events, found.failed) == (sum(traffic.events.values()), traffic.failed)
    assert waits >= DEATHS
