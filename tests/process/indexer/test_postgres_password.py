"""The password of a store in PostgreSQL is nowhere in what the indexer says, also when all goes well."""

import json

from localpostgres.server import PostgresServer
from tests.process.indexer.conftest import SECRET, Indexer, Node


async def test_neither_the_log_nor_status_shows_the_password(indexer: Indexer, node: Node) -> None:
    with PostgresServer(fsync="off") as server:
        url = server.new_database().replace("postgres@", f"postgres:{SECRET}@")
        assert SECRET in url
        indexer.url = indexer.settings["EVENT_STORE_URL"] = url
        running = await indexer.start()
        await running.until(lambda: indexer.covers(node.finalized), "coverage")
        done = await running.stop()  # which looks for the secret in all that was said
        assert '"event": "started"' in done.err + done.out
        told = json.loads((await indexer.run("status", "--json")).out)
        assert told["store"].startswith("postgresql://127.0.0.1:")
        node.genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
        assert "another chain" in (await indexer.run("run")).refusal
