"""lock_collateral and unlock_collateral: authorised programs, and nobody else, hold collateral back and release it."""

from hashlib import sha256

import pytest
from solders.pubkey import Pubkey

from tests.program.chain import NOW, pda, refused
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


def test_no_more_is_locked_than_is_available(trusting: VaultSvm, carol: User, caller: Pubkey) -> None:
    trusting.lock(carol, 400, caller)
    with refused("InsufficientAvailable"):
        trusting.lock(carol, 601, caller)
    trusting.lock(carol, 600, caller)
    assert trusting.balances(carol) == (1_000, 1_000, 0)


def test_no_more_is_unlocked_than_is_locked(trusting: VaultSvm, carol: User, caller: Pubkey) -> None:
    trusting.lock(carol, 400, caller)
    with refused("InsufficientLocked"):
        trusting.unlock(carol, 401, caller)


def test_nothing_is_neither_locked_nor_unlocked(trusting: VaultSvm, carol: User, caller: Pubkey) -> None:
    with refused("ZeroAmount"):
        trusting.lock(carol, 0, caller)
    with refused("ZeroAmount"):
        trusting.unlock(carol, 0, caller)


def test_a_signer_that_is_no_program_is_refused(svm: VaultSvm, alice: User) -> None:
    svm.open_position(alice, 1, 400)
    for signer in (svm.new_keypair(), alice.keypair, svm.admin):
        with refused("UnauthorizedCaller"):
            svm.lock(alice, 1, signer.pubkey(), signer)
        with refused("UnauthorizedCaller"):
            svm.unlock(alice, 1, signer.pubkey(), signer)


def test_the_callers_address_without_its_signature_is_refused(svm: VaultSvm, alice: User) -> None:
    svm.open_position(alice, 1, 400)
    svm.unsigned.add(svm.caller)
    with refused("AccountNotSigner"):
        svm.lock(alice, 1, svm.caller)
    with refused("AccountNotSigner"):
        svm.unlock(alice, 1, svm.caller)


def test_a_program_that_was_never_authorised_is_refused(trusting: VaultSvm, carol: User, program: Pubkey) -> None:
    stranger = pda(Pubkey.new_unique(), b"vault_caller")
    with refused("UnauthorizedCaller"):
        trusting.lock(carol, 1, stranger)


def test_other_addresses_of_an_authorised_program_are_refused(trusting: VaultSvm, carol: User, program: Pubkey) -> None:
    with refused("UnauthorizedCaller"):
        trusting.lock(carol, 1, program)
    with refused("UnauthorizedCaller"):
        trusting.lock(carol, 1, pda(program, b"another"))
    with refused("UnauthorizedCaller"):
        trusting.lock(carol, 1, _not_canonical(program))


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


def test_the_token_account_of_another_vault_is_refused(trusting: VaultSvm, carol: User, caller: Pubkey) -> None:
    dave = trusting.new_depositor()
    with refused("WrongTokenAccount"):
        trusting.lock(carol, 1, caller, token_account=dave.vault_tokens)
    with refused("WrongTokenAccount"):
        trusting.unlock(carol, 1, caller, token_account=dave.vault_tokens)


def _not_canonical(program: Pubkey) -> Pubkey:
    """The address of the same seed with the next lower bump that gives one."""
    _, bump = Pubkey.find_program_address([b"vault_caller"], program)
    for lower in reversed(range(bump)):
        seeds = b"vault_caller" + bytes([lower]) + bytes(program) + b"ProgramDerivedAddress"
        address = Pubkey.from_bytes(sha256(seeds).digest())
        if not address.is_on_curve():
            return address
    raise AssertionError("there is none")
