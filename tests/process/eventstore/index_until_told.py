"""A process that does to the store what an indexer does, a slot at a time, until its input ends.

It goes on through every error but a lost lease, and prints how many slots it covered and how many errors it met.

    python index_until_told.py URL
"""

import select
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from eventstore.errors import StoreBusy, StoreUnreachable
from eventstore.facts import CoverageAdvanced
from eventstore.open import open_ingest_store
from eventstore.port import Inclusion, IngestStore, Owed
from tests.process.eventstore.made import deposit, evidence

Done = TypeVar("Done")
RETRY_S = 0.01


class Indexer:
    def __init__(self, store: IngestStore) -> None:
        self.store = store
        self.epoch = store.acquire_lease("the indexer")
        self.errors = 0

    def index(self, slot: int) -> None:
        signature = f"signature-{slot}"
        found = [Owed(signature, slot, None)]
        walk = self.insist(lambda: self.store.next_walk(slot))
        self.insist(lambda: self.store.record_page(self.epoch, walk, found, signature, met_floor=True))
        covered = CoverageAdvanced(through_slot=slot, block_time=None, blockhash=None)
        settled = [Inclusion(signature, slot)]
        facts, proof = [deposit(signature, slot)], [evidence(signature, slot)]
        self.insist(lambda: self.store.append(facts, proof, no_longer_owed=settled, epoch=self.epoch))
        self.insist(lambda: self.store.append([covered], epoch=self.epoch))

    def insist(self, call: Callable[[], Done]) -> Done:
        while True:
            try:
                return call()
            except (StoreBusy, StoreUnreachable):
                self.errors += 1
                time.sleep(RETRY_S)


def main(url: str) -> None:
    store, slot = open_ingest_store(url), 0
    indexer = Indexer(store)
    while not select.select([sys.stdin], [], [], 0)[0]:
        slot += 1
        indexer.index(slot)
    store.close()
    sys.stdout.write(f"{slot} {indexer.errors}\n")


main(*sys.argv[1:])
