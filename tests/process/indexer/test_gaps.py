"""What is missing is named, and an operator can let coverage pass it."""

import json
from contextlib import closing

from eventstore.facts import GapAccepted
from eventstore.open import open_ingest_store
from eventstore.port import Gap, Owed
from tests.process.indexer.conftest import Indexer

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
