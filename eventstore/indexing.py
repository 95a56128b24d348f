"""What is kept about facts beside them, so that they are found by vault and by signature."""

from collections.abc import Sequence

from eventstore import contested
from eventstore.backend import Transaction
from eventstore.facts import ChainFact, Fact
from eventstore.identity import vaults_of
from eventstore.tables import VAULT_INDEX


def index(t: Transaction, new: Sequence[tuple[Fact, int]]) -> None:
    """Facts that were just stored, with their positions; before coverage itself is moved by them."""
    places = [
        (vault, fact.slot, fact.transaction_index, fact.ordinal, position)
        for fact, position in new
        if isinstance(fact, ChainFact)
        for vault in vaults_of(fact)
    ]
    t.insert(VAULT_INDEX, sorted(places))  # a page of the index is then written once
    contested.note(t, new)
