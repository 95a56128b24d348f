"""deposit: the owner's tokens become available collateral."""

from solders.pubkey import Pubkey

from tests.program.chain import NOW, refused
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


def test_a_deposit_into_another_owners_vault_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    with refused("WrongOwner"):
        svm.deposit(bob, 1, vault=alice.vault, token_account=alice.vault_tokens)


def test_a_deposit_without_the_owners_signature_is_refused(svm: VaultSvm, alice: User) -> None:
    svm.unsigned.add(alice.key)
    with refused("AccountNotSigner"):
        svm.deposit(alice, 1)


def test_a_deposit_into_another_vaults_token_account_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    with refused("WrongTokenAccount"):
        svm.deposit(alice, 1, token_account=bob.vault_tokens)


def test_a_deposit_of_another_mint_is_refused(svm: VaultSvm, alice: User) -> None:
    worthless = svm.new_mint()
    tokens = svm.set_tokens(Pubkey.new_unique(), worthless, alice.key, 1_000)
    with refused("WrongMint"):
        svm.deposit(alice, 1, owner_token_account=tokens)
    with refused("WrongMint"):
        svm.deposit(alice, 1, owner_token_account=tokens, collateral_mint=worthless)


def test_a_deposit_from_somebody_elses_token_account_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    with refused("WrongTokenOwner"):
        svm.deposit(alice, 1, owner_token_account=bob.tokens)


def test_a_deposit_of_nothing_is_refused(svm: VaultSvm, alice: User) -> None:
    with refused("ZeroAmount"):
        svm.deposit(alice, 0)
