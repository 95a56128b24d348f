"""A process that appends facts of its own in small batches until its input ends; it prints how many.

python append_until_told.py URL NAME
"""

import random
import select
import sys

from eventstore.errors import StoreBusy
from eventstore.open import open_ingest_store
from eventstore.port import IngestStore
from tests.process.eventstore.made import deposit, evidence


def main(url: str, name: str) -> None:
    store, written = open_ingest_store(url), 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        written += _append(store, name, written, random.randint(1, 12))
    store.close()
    sys.stdout.write(f"{written}\n")


def _append(store: IngestStore, name: str, after: int, size: int) -> int:
    slots = range(after, after + size)
    facts = [deposit(f"{name}-{slot}", slot) for slot in slots]
    while True:
        try:
            return store.append(facts, [evidence(f"{name}-{slot}", slot) for slot in slots]).stored
        except StoreBusy:
            continue


main(*sys.argv[1:])
