"""initialize_vault: every user's vault, with a token account of its own."""

from tests.program.chain import NOW, refused
from tests.program.vault_svm import VaultSvm


def test_a_vault_begins_empty_with_a_token_account_of_its_own(svm: VaultSvm) -> None:
    user = svm.new_user()
    [(name, event)] = svm.initialize_vault(user).events

    vault = svm.vault(user)
    assert vault["owner"] == user.key
    assert vault["token_account"] == user.vault_tokens
    assert svm.tokens(user.vault_tokens) == 0
    assert (vault["total_deposited"], vault["total_withdrawn"]) == (0, 0)
    assert (vault["created_at"], vault["last_updated"]) == (NOW, NOW)
    assert name == "VaultInitialized"
    assert event == {
        "vault": user.vault,
        "owner": vault["owner"],
        "token_account": vault["token_account"],
        "mint": svm.mint,
        "decimals": 6,
        "total_balance": 0,
        "locked_balance": 0,
        "available_balance": 0,
        "timestamp": NOW,
    }
    assert svm.balances(user) == (0, 0, 0)


def test_it_returns_the_address_of_the_vault(svm: VaultSvm) -> None:
    user = svm.new_user()
    assert svm.initialize_vault(user).returned == bytes(user.vault)


def test_a_token_account_that_somebody_made_and_filled_before_is_taken_as_it_is(svm: VaultSvm) -> None:
    user = svm.new_user()
    svm.set_tokens(user.vault_tokens, svm.mint, user.vault, 7)
    svm.initialize_vault(user)
    assert svm.balances(user) == (0, 0, 0)
    assert svm.tokens(user.vault_tokens) == 7


def test_a_frozen_token_account_that_somebody_made_before_does_not_keep_a_vault_from_being_made(svm: VaultSvm) -> None:
    """No token moves. Deposits wait until it is thawed."""
    user = svm.new_user(tokens=7)
    svm.set_tokens(user.vault_tokens, svm.mint, user.vault, 0, frozen=True)
    svm.initialize_vault(user)
    assert svm.balances(user) == (0, 0, 0)
    with refused("TokenAccountFrozen"):
        svm.deposit(user, 7)


def test_lamports_that_somebody_sent_before_do_not_keep_a_vault_from_being_made(svm: VaultSvm) -> None:
    user = svm.new_user()
    svm.svm.airdrop(user.vault, 1_000_000)
    svm.svm.airdrop(user.vault_tokens, 1_000_000)
    svm.initialize_vault(user)
    assert svm.vault(user)["owner"] == user.key
