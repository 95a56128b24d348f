"""deposit: the owner's tokens become available collateral."""

from tests.program.chain import NOW
from tests.program.vault_svm import User, VaultSvm


def test_a_deposit_moves_the_tokens_and_emits_the_balances_after_it(svm: VaultSvm, alice: User) -> None:
    svm.set_time(NOW + 60)
    [(name, event)] = svm.deposit(alice, 250).events

    assert (svm.tokens(alice.vault_tokens), svm.tokens(alice.tokens)) == (1_250, 250)
    vault = svm.vault(alice)
    assert (vault["total_deposited"], vault["total_withdrawn"]) == (1_250, 0)
    assert (vault["created_at"], vault["last_updated"]) == (NOW, NOW + 60)
    assert name == "Deposited"
    assert event == {
        "vault": alice.vault,
        "owner": alice.key,
        "amount": 250,
        "total_balance": vault["total_balance"],
        "locked_balance": vault["locked_balance"],
        "available_balance": vault["available_balance"],
        "timestamp": NOW + 60,
    }
    assert svm.balances(alice) == (1_250, 0, 1_250)


def test_a_deposit_leaves_what_is_locked_alone(svm: VaultSvm, alice: User) -> None:
    svm.open_position(alice, 1, 400)
    svm.deposit(alice, 500)
    assert svm.balances(alice) == (1_500, 400, 1_100)


def test_tokens_that_somebody_sent_to_the_vault_are_not_the_owners(svm: VaultSvm, alice: User) -> None:
    svm.set_tokens(alice.vault_tokens, svm.mint, alice.vault, 1_007)
    svm.deposit(alice, 100)
    assert svm.balances(alice) == (1_100, 0, 1_100)
    assert svm.tokens(alice.vault_tokens) == 1_107


def test_deposits_are_counted_up_to_the_last_u64_and_made_beyond_it(svm: VaultSvm, alice: User) -> None:
    svm.set_vault_number(alice, "total_deposited", 2**64 - 2)
    for counted in (2**64 - 1, 2**64 - 1):
        svm.deposit(alice, 1)
        assert svm.vault(alice)["total_deposited"] == counted
    assert svm.balances(alice) == (1_002, 0, 1_002)
