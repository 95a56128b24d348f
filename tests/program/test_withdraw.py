"""withdraw: available collateral becomes the owner's tokens again."""

from solders.pubkey import Pubkey

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


def test_a_withdrawal_from_another_owners_vault_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    with refused("WrongOwner"):
        svm.withdraw(bob, 1, vault=alice.vault, token_account=alice.vault_tokens)


def test_a_withdrawal_without_the_owners_signature_is_refused(svm: VaultSvm, alice: User) -> None:
    svm.unsigned.add(alice.key)
    with refused("AccountNotSigner"):
        svm.withdraw(alice, 1)


def test_a_withdrawal_from_another_vaults_token_account_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    with refused("WrongTokenAccount"):
        svm.withdraw(bob, 1, token_account=alice.vault_tokens)


def test_a_withdrawal_to_somebody_elses_token_account_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    with refused("WrongTokenOwner"):
        svm.withdraw(alice, 1, owner_token_account=bob.tokens)


def test_a_withdrawal_in_another_mint_is_refused(svm: VaultSvm, alice: User) -> None:
    other = svm.new_mint()
    tokens = svm.set_tokens(Pubkey.new_unique(), other, alice.key, 0)
    with refused("WrongMint"):
        svm.withdraw(alice, 1, owner_token_account=tokens)
    with refused("WrongMint"):
        svm.withdraw(alice, 1, owner_token_account=tokens, collateral_mint=other)


def test_a_withdrawal_of_nothing_is_refused(svm: VaultSvm, alice: User) -> None:
    with refused("ZeroAmount"):
        svm.withdraw(alice, 0)
