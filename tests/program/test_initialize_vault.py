"""initialize_vault: every user's vault, with a token account of its own."""

import pytest
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from tests.program.chain import NOW, Refused, refused
from tests.program.vault_svm import User, VaultSvm


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


def test_lamports_that_somebody_sent_before_do_not_keep_a_vault_from_being_made(svm: VaultSvm) -> None:
    user = svm.new_user()
    svm.svm.airdrop(user.vault, 1_000_000)
    svm.svm.airdrop(user.vault_tokens, 1_000_000)
    svm.initialize_vault(user)
    assert svm.vault(user)["owner"] == user.key


def test_a_token_account_that_is_not_the_associated_one_is_refused(svm: VaultSvm) -> None:
    user = svm.new_user()
    other = svm.set_tokens(Pubkey.new_unique(), svm.mint, user.vault, 0)
    with refused("AccountNotAssociatedTokenAccount"):
        svm.initialize_vault(user, token_account=other)


def test_another_mint_is_refused(svm: VaultSvm) -> None:
    user, other = svm.new_user(), svm.new_mint()
    with refused("WrongMint"):
        tokens = get_associated_token_address(user.vault, other)
        svm.initialize_vault(user, collateral_mint=other, token_account=tokens)


def test_nobody_makes_a_vault_for_another(svm: VaultSvm) -> None:
    user, other = svm.new_user(), svm.new_user()
    with refused("ConstraintSeeds"):
        svm.initialize_vault(user, vault=other.vault, token_account=other.vault_tokens)


def test_a_vault_is_made_once(svm: VaultSvm, alice: User) -> None:
    with pytest.raises(Refused, match="already in use"):
        svm.initialize_vault(alice)
    assert svm.balances(alice) == (1_000, 0, 1_000)
