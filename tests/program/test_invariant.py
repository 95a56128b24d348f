"""What holds at the end of every instruction, whatever an account was made to say."""

from tests.program.chain import refused
from tests.program.vault_svm import User, VaultSvm

U64_MAX = 2**64 - 1


def test_a_vault_whose_tokens_are_gone_is_left_as_it_is(svm: VaultSvm, alice: User) -> None:
    svm.set_tokens(alice.vault_tokens, svm.mint, alice.vault, 999)
    with refused("TokensBelowTotal"):
        svm.withdraw(alice, 1)
    with refused("TokensBelowTotal"):
        svm.open_position(alice, 1, 1)


def test_a_vault_whose_balances_do_not_add_up_is_left_as_it_is(svm: VaultSvm, alice: User) -> None:
    svm.set_vault_number(alice, "total_balance", 999)
    with refused("BalancesDoNotAddUp"):
        svm.withdraw(alice, 1)
    with refused("BalancesDoNotAddUp"):
        svm.open_position(alice, 1, 1)


def test_a_sum_beyond_u64_is_refused(svm: VaultSvm, alice: User) -> None:
    svm.set_vault_number(alice, "total_deposited", U64_MAX - 1)
    svm.deposit(alice, 1)
    with refused("Overflow"):
        svm.deposit(alice, 1)
