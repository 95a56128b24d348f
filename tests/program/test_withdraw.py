"""withdraw: available collateral becomes the owner's tokens again."""

from tests.program.chain import NOW, refused
from tests.program.vault_svm import User, VaultSvm


def test_a_withdrawal_moves_the_tokens_and_emits_the_balances_after_it(svm: VaultSvm, alice: User) -> None:
    svm.set_time(NOW + 60)
    [(name, event)] = svm.withdraw(alice, 300).events

    assert (svm.tokens(alice.vault_tokens), svm.tokens(alice.tokens)) == (700, 800)
    vault = svm.vault(alice)
    assert (vault["total_deposited"], vault["total_withdrawn"]) == (1_000, 300)
    assert (vault["created_at"], vault["last_updated"]) == (NOW, NOW + 60)
    assert name == "Withdrawn"
    assert event == {
        "vault": alice.vault,
        "owner": alice.key,
        "amount": 300,
        "total_balance": vault["total_balance"],
        "locked_balance": vault["locked_balance"],
        "available_balance": vault["available_balance"],
        "timestamp": NOW + 60,
    }
    assert svm.balances(alice) == (700, 0, 700)


def test_all_that_is_available_can_be_withdrawn_but_nothing_that_is_locked(svm: VaultSvm, alice: User) -> None:
    svm.open_position(alice, 1, 400)
    with refused("InsufficientAvailable"):
        svm.withdraw(alice, 601)
    svm.withdraw(alice, 600)
    assert svm.balances(alice) == (400, 400, 0)
    assert svm.tokens(alice.vault_tokens) == 400


def test_tokens_that_somebody_sent_to_the_vault_cannot_be_withdrawn(svm: VaultSvm, alice: User) -> None:
    svm.set_tokens(alice.vault_tokens, svm.mint, alice.vault, 1_007)
    with refused("InsufficientAvailable"):
        svm.withdraw(alice, 1_001)


def test_withdrawals_are_counted_up_to_the_last_u64_and_made_beyond_it(svm: VaultSvm, alice: User) -> None:
    svm.set_vault_number(alice, "total_withdrawn", 2**64 - 2)
    for counted in (2**64 - 1, 2**64 - 1):
        svm.withdraw(alice, 1)
        assert svm.vault(alice)["total_withdrawn"] == counted
    assert svm.balances(alice) == (998, 0, 998)
