"""What is missing is named, and an operator can let coverage pass it."""

import json
from contextlib import closing

from eventstore.facts import GapAccepted
from eventstore.open import open_ingest_store
from eventstore.port import Gap, Owed
from tests.process.indexer.conftest import Indexer, Node

GAP = Gap(5, 5, "signature-5", "the node has no logs of it")


def make_gap(indexer: Indexer) -> None:
    with closing(open_ingest_store(indexer.url)) as store:
        epoch = store.acquire_lease("the test")
        store.record_page(epoch, store.next_walk(10), [Owed("signature-5", 5, None)], None, met_floor=True)
        store.find_gaps(epoch, [GAP])


async def test_gaps_are_listed_and_accepted_with_a_reason(indexer: Indexer) -> None:
    make_gap(indexer)
    listed = await indexer.run("gaps", "list", "--json")
    assert listed.code == 0
    assert json.loads(listed.out) == {
        "fromSlot": 5,
        "throughSlot": 5,
        "signature": "signature-5",
        "state": "open",
        "reason": "the node has no logs of it",
    }
    accepted = await indexer.run(
        "gaps", "accept", "5", "5", "--signature", "signature-5", "--reason", "not ours", "--operator", "mara"
    )
    assert accepted.code == 0
    assert accepted.out.startswith("accepted by mara: ")
    again = await indexer.run("gaps", "accept", "5", "5", "--signature", "signature-5", "--reason", "not ours")
    assert "no gap of signature-5 from slot 5 through 5 is open" in again.refusal
    assert (await indexer.run("gaps", "list")).out.startswith("accepted slot 5 through 5")
    with closing(open_ingest_store(indexer.url)) as store:
        assert store.progress().complete_through == 10
        (fact,) = [s.fact for s in store.read_after(0, 10) if isinstance(s.fact, GapAccepted)]
        assert (fact.operator, fact.reason) == ("mara", "not ours")


async def test_backfill_goes_through_history_again_and_says_what_it_found(indexer: Indexer, node: Node) -> None:
    running = await indexer.start()
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    await running.stop()
    done = await indexer.run("backfill", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert told["listed"] > 0
    assert told["queued"] == 0
    text = (await indexer.run("backfill", "--from-slot", "1")).out
    assert "signatures down to slot" in text
    assert "0 were not known" in text


async def test_backfill_of_a_store_of_another_chain_is_refused(indexer: Indexer, node: Node) -> None:
    running = await indexer.start()
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    await running.stop()
    node.genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
    assert "another chain" in (await indexer.run("backfill")).refusal
