"""lock_collateral and unlock_collateral: authorised programs, and nobody else, hold collateral back and release it."""

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from tests.program.chain import NOW, refused
from tests.program.vault_svm import User, VaultSvm


@pytest.fixture
def carol(trusting: VaultSvm) -> User:
    """Has 1,000 base units in a vault on the trusting chain."""
    return trusting.new_depositor()


def test_locking_makes_available_collateral_locked(
    trusting: VaultSvm, carol: User, program: Pubkey, caller: Pubkey
) -> None:
    trusting.set_time(NOW + 60)
    [(name, event)] = trusting.lock(carol, 400, caller).events

    vault = trusting.vault(carol)
    assert vault["last_updated"] == NOW + 60
    assert name == "CollateralLocked"
    assert event == {
        "vault": carol.vault,
        "owner": carol.key,
        "program": program,
        "amount": 400,
        "total_balance": vault["total_balance"],
        "locked_balance": vault["locked_balance"],
        "available_balance": vault["available_balance"],
        "timestamp": NOW + 60,
    }
    assert trusting.balances(carol) == (1_000, 400, 600)
    assert trusting.tokens(carol.vault_tokens) == 1_000


def test_unlocking_makes_locked_collateral_available(
    trusting: VaultSvm, carol: User, program: Pubkey, caller: Pubkey
) -> None:
    trusting.lock(carol, 400, caller)
    trusting.set_time(NOW + 60)
    [(name, event)] = trusting.unlock(carol, 150, caller).events

    vault = trusting.vault(carol)
    assert vault["last_updated"] == NOW + 60
    assert name == "CollateralUnlocked"
    assert event == {
        "vault": carol.vault,
        "owner": carol.key,
        "program": program,
        "amount": 150,
        "total_balance": vault["total_balance"],
        "locked_balance": vault["locked_balance"],
        "available_balance": vault["available_balance"],
        "timestamp": NOW + 60,
    }
    assert trusting.balances(carol) == (1_000, 250, 750)


def test_all_that_is_available_can_be_locked_and_all_that_is_locked_unlocked(
    trusting: VaultSvm, carol: User, caller: Pubkey
) -> None:
    trusting.lock(carol, 400, caller)
    trusting.lock(carol, 600, caller)
    assert trusting.balances(carol) == (1_000, 1_000, 0)
    trusting.unlock(carol, 1_000, caller)
    assert trusting.balances(carol) == (1_000, 0, 1_000)


def test_what_is_frozen_can_be_locked_and_unlocked(trusting: VaultSvm, carol: User, caller: Pubkey) -> None:
    """No token moves: a position can be closed whatever the mint's freeze authority does."""
    tokens = trusting.account(carol.vault_tokens)
    data = tokens.data[:108] + b"\2" + tokens.data[109:]  # the state, which is frozen
    trusting.svm.set_account(carol.vault_tokens, Account(tokens.lamports, data, tokens.owner))
    trusting.lock(carol, 400, caller)
    trusting.unlock(carol, 400, caller)


def test_a_program_that_was_removed_can_neither_lock_nor_unlock(svm: VaultSvm, alice: User) -> None:
    svm.open_position(alice, 1, 400)
    svm.remove_program(svm.positions.program)
    with refused("UnauthorizedCaller"):
        svm.open_position(alice, 2, 1)
    with refused("UnauthorizedCaller"):
        svm.close_position(alice, 1)
    svm.add_program(svm.positions.program)
    svm.close_position(alice, 1)
    assert svm.balances(alice) == (1_000, 0, 1_000)
