"""A total that lacks exactly 2^64, such as no instruction leaves it: the sum of u64 alone would not tell."""

from tests.program.chain import refused
from tests.program.vault_svm import User, VaultSvm


def test_no_more_is_taken_from_a_total_than_it_is(svm: VaultSvm, alice: User) -> None:
    svm.set_vault_number(alice, "total_balance", 5)
    svm.set_vault_number(alice, "locked_balance", 2**63)
    svm.set_vault_number(alice, "available_balance", 2**63 + 5)
    with refused("BalancesDoNotAddUp"):
        svm.withdraw(alice, 10)
