"""What was ever deposited or withdrawn is counted up to the largest u64, as the program counts it."""

import itertools
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from eventstore.facts import Deposited, Fact, Withdrawn
from eventstore.port import StoredFact
from projections.expected import OF_VAULT
from projections.projection import at_rest
from projections.told import Told
from projections.vaults import VAULTS
from tests.unit.projections.histories import U64_MAX, Ledger, Step

VAULT = "vault-0000"
HISTORY = Ledger(vaults=1).take(
    [
        Step("deposit", 0, 0, U64_MAX, False),
        Step("withdraw", 0, 0, U64_MAX, False),
        Step("deposit", 0, 0, 5, False),
        Step("withdraw", 0, 0, 2, False),
    ]
)


def folded(facts: Sequence[Fact]) -> Any:
    document = None
    for position, fact in enumerate(facts, start=1):
        document = VAULTS.evolve(document, VAULT, StoredFact(position, 0, fact))
    return document


def test_sums_stop_at_the_largest_u64_whatever_the_order_of_arrival() -> None:
    for arriving in itertools.permutations(HISTORY):
        vault = folded(arriving)
        assert (vault.deposited_total, vault.withdrawn_total) == (U64_MAX, U64_MAX)
        assert (vault.deposit_count, vault.withdrawal_count, vault.total_balance) == (2, 2, 3)


def test_a_sum_at_rest_has_as_many_digits_as_every_amount() -> None:
    rest = at_rest(VAULTS, folded(HISTORY))
    assert {len(rest[name]) for name in VAULTS.amounts} == {20}
    assert rest["deposited_total"] == str(U64_MAX)


def test_the_independent_fold_says_the_same() -> None:
    told = [Told(StoredFact(position, 0, fact), "standing") for position, fact in enumerate(HISTORY, start=1)]
    [(_, expected)] = OF_VAULT[VAULTS.name](VAULT, told)
    assert expected == structs.asdict(folded(HISTORY))


def test_the_history_goes_beyond_a_u64() -> None:
    for kind in (Deposited, Withdrawn):
        assert sum(fact.amount for fact in HISTORY if isinstance(fact, kind)) > U64_MAX
