"""What a store holds, against what the node itself tells of its chain."""

from typing import NamedTuple

from eventstore.facts import ProgramFact, TransactionFailed, TransactionReverted
from eventstore.open import open_fact_reader
from localnet import ledger
from localnet.client import Client

FACTS_MAX = 1_000_000


class Compared(NamedTuple):
    """Counts of program events, but for the transactions."""

    transactions: int
    failed: int
    """Of the transactions."""
    events: int
    """On the chain."""
    lost: int
    doubled: int
    invented: int
    """Not on the chain, or not with these fields."""

    def __str__(self) -> str:
        return (
            f"{self.transactions} transactions ({self.failed} failed), {self.events} events: "
            f"{self.lost} lost, {self.doubled} doubled, {self.invented} invented"
        )

    @property
    def is_exact(self) -> bool:
        return self.lost == self.doubled == self.invented == 0


async def compare(store_url: str, rpc: Client) -> Compared:
    """All facts with their fields, once the store covers the chain."""
    reader = open_fact_reader(store_url)
    try:
        facts = [stored.fact for stored in reader.read_after(0, FACTS_MAX)]
    finally:
        reader.close()
    assert not [fact for fact in facts if isinstance(fact, TransactionReverted)], "there was no fork"
    chain = {(e.signature, e.slot, e.ordinal, e.name): e.fields for e in await ledger.events(rpc)}
    events = [fact for fact in facts if isinstance(fact, ProgramFact)]
    stored = {(f.signature, f.slot, f.ordinal, type(f).__name__): f for f in events}
    same = {
        key
        for key, fact in stored.items()
        if key in chain and {field: getattr(fact, field) for field in chain[key]} == chain[key]
    }
    failed = [fact.signature for fact in facts if isinstance(fact, TransactionFailed)]
    return Compared(
        transactions=len(await ledger.signatures(rpc)),
        failed=len(failed),
        events=len(chain),
        lost=len(chain.keys() - stored.keys()),
        doubled=len(events) - len(stored) + len(failed) - len(set(failed)),
        invented=len(stored.keys() - same),
    )
