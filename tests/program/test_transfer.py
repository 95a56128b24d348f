"""transfer_collateral: authorised programs, and nobody else, move available collateral from vault to vault."""

import pytest
from solders.pubkey import Pubkey

from tests.program.chain import NOW, pda, refused
from tests.program.vault_svm import User, VaultSvm


@pytest.fixture
def carol(trusting: VaultSvm) -> User:
    """Has 1,000 base units in a vault on the trusting chain."""
    return trusting.new_depositor()


@pytest.fixture
def dave(trusting: VaultSvm) -> User:
    """As Carol."""
    return trusting.new_depositor()


def test_a_transfer_moves_available_collateral_and_the_tokens_behind_it(
    trusting: VaultSvm, carol: User, dave: User, program: Pubkey, caller: Pubkey
) -> None:
    trusting.lock(dave, 100, caller)
    trusting.set_time(NOW + 60)
    [(name, event)] = trusting.transfer(carol, dave, 300, caller).events

    assert (trusting.tokens(carol.vault_tokens), trusting.tokens(dave.vault_tokens)) == (700, 1_300)
    giver, taker = trusting.vault(carol), trusting.vault(dave)
    for vault in (giver, taker):
        assert (vault["total_deposited"], vault["total_withdrawn"]) == (1_000, 0)
        assert vault["last_updated"] == NOW + 60
    assert name == "CollateralTransferred"
    assert event == {
        "from_vault": carol.vault,
        "from_owner": carol.key,
        "to_vault": dave.vault,
        "to_owner": dave.key,
        "program": program,
        "amount": 300,
        "from_total_balance": giver["total_balance"],
        "from_locked_balance": giver["locked_balance"],
        "from_available_balance": giver["available_balance"],
        "to_total_balance": taker["total_balance"],
        "to_locked_balance": taker["locked_balance"],
        "to_available_balance": taker["available_balance"],
        "timestamp": NOW + 60,
    }
    assert trusting.balances(carol) == (700, 0, 700)
    assert trusting.balances(dave) == (1_300, 100, 1_200)


def test_locked_collateral_is_not_transferred(trusting: VaultSvm, carol: User, dave: User, caller: Pubkey) -> None:
    trusting.lock(carol, 400, caller)
    with refused("InsufficientAvailable"):
        trusting.transfer(carol, dave, 601, caller)
    trusting.transfer(carol, dave, 600, caller)
    assert trusting.balances(carol) == (400, 400, 0)


def test_a_transfer_to_oneself_is_refused(trusting: VaultSvm, carol: User, caller: Pubkey) -> None:
    with refused("SelfTransfer"):
        trusting.transfer(carol, carol, 1, caller)


def test_a_signer_that_is_no_program_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    for signer in (svm.new_keypair(), alice.keypair, svm.admin):
        with refused("UnauthorizedCaller"):
            svm.transfer(alice, bob, 1, signer.pubkey(), signer)


def test_the_callers_address_without_its_signature_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.unsigned.add(svm.caller)
    with refused("AccountNotSigner"):
        svm.transfer(alice, bob, 1, svm.caller)


def test_a_program_that_is_not_or_no_longer_authorised_is_refused(
    trusting: VaultSvm, carol: User, dave: User, program: Pubkey, caller: Pubkey
) -> None:
    with refused("UnauthorizedCaller"):
        trusting.transfer(carol, dave, 1, pda(Pubkey.new_unique(), b"vault_caller"))
    trusting.remove_program(program)
    with refused("UnauthorizedCaller"):
        trusting.transfer(carol, dave, 1, caller)


def test_token_accounts_that_are_not_the_vaults_own_are_refused(
    trusting: VaultSvm, carol: User, dave: User, caller: Pubkey
) -> None:
    with refused("WrongTokenAccount"):
        trusting.transfer(carol, dave, 1, caller, to_token_account=carol.tokens)
    with refused("WrongTokenAccount"):
        trusting.transfer(carol, dave, 1, caller, to_token_account=carol.vault_tokens)
    with refused("WrongTokenAccount"):
        trusting.transfer(carol, dave, 1, caller, from_token_account=dave.vault_tokens)


def test_a_transfer_in_another_mint_is_refused(trusting: VaultSvm, carol: User, dave: User, caller: Pubkey) -> None:
    with refused("WrongMint"):
        trusting.transfer(carol, dave, 1, caller, collateral_mint=trusting.new_mint())


def test_a_transfer_of_nothing_is_refused(trusting: VaultSvm, carol: User, dave: User, caller: Pubkey) -> None:
    with refused("ZeroAmount"):
        trusting.transfer(carol, dave, 0, caller)
