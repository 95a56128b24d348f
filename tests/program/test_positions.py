"""The position-manager: margin is locked while a position is open, and paid from when it is settled."""

import pytest

from tests.program.chain import LOADER, NOW, Refused, pda, refused
from tests.program.vault_svm import User, VaultSvm


def test_opening_locks_the_margin(svm: VaultSvm, alice: User) -> None:
    [(name, event)] = svm.open_position(alice, 7, 400).events

    position = svm.position(alice, 7)
    assert (position["owner"], position["id"], position["margin"]) == (alice.key, 7, 400)
    assert position["opened_at"] == NOW
    assert svm.balances(alice) == (1_000, 400, 600)
    assert (name, event["program"], event["amount"]) == ("CollateralLocked", svm.positions.program, 400)


def test_closing_unlocks_the_margin_and_gives_back_the_rent(svm: VaultSvm, alice: User) -> None:
    lamports = svm.account(alice.key).lamports
    svm.open_position(alice, 7, 400)
    svm.open_position(alice, 8, 100)
    svm.close_position(alice, 8)
    [(name, event)] = svm.close_position(alice, 7).events

    assert svm.svm.get_account(svm.position_address(alice, 7)) is None
    assert svm.account(alice.key).lamports == lamports
    assert svm.balances(alice) == (1_000, 0, 1_000)
    assert (name, event["program"], event["amount"]) == ("CollateralUnlocked", svm.positions.program, 400)


def test_settling_pays_from_the_margin_to_another_vault(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    events = svm.settle_position(alice, 7, 150, to=bob).events

    assert [(name, event["amount"]) for name, event in events] == [
        ("CollateralUnlocked", 150),
        ("CollateralTransferred", 150),
    ]
    assert svm.position(alice, 7)["margin"] == 250
    assert svm.balances(alice) == (850, 250, 600)
    assert svm.balances(bob) == (1_150, 0, 1_150)
    assert (svm.tokens(alice.vault_tokens), svm.tokens(bob.vault_tokens)) == (850, 1_150)


def test_a_position_whose_margin_is_paid_out_can_still_be_closed(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    svm.settle_position(alice, 7, 400, to=bob)
    assert svm.close_position(alice, 7).events == []
    assert svm.balances(alice) == (600, 0, 600)


def test_no_more_margin_than_is_available(svm: VaultSvm, alice: User) -> None:
    svm.open_position(alice, 7, 400)
    with refused("InsufficientAvailable"):
        svm.open_position(alice, 8, 601)
    assert svm.svm.get_account(svm.position_address(alice, 8)) is None


def test_nobody_opens_or_closes_on_anothers_vault(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    with refused("WrongVault"):
        svm.open_position(bob, 7, 1, vault=alice.vault, token_account=alice.vault_tokens)
    svm.open_position(bob, 7, 400)
    with refused("WrongVault"):
        svm.close_position(bob, 7, vault=alice.vault, token_account=alice.vault_tokens)


def test_nobody_closes_anothers_position(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    svm.open_position(bob, 7, 400)
    with refused("ConstraintSeeds"):
        svm.close_position(bob, 7, position=svm.position_address(alice, 7))


def test_a_position_is_neither_opened_nor_closed_without_the_owners_signature(svm: VaultSvm, alice: User) -> None:
    svm.open_position(alice, 7, 400)
    svm.unsigned.add(alice.key)
    with refused("AccountNotSigner"):
        svm.open_position(alice, 8, 1)
    with refused("AccountNotSigner"):
        svm.close_position(alice, 7)


def test_nobody_but_the_settlement_admin_settles(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    with refused("NotAdmin"):
        svm.settle_position(alice, 7, 1, to=bob, admin=bob.keypair)
    svm.unsigned.add(svm.admin.pubkey())
    with refused("AccountNotSigner"):
        svm.settle_position(alice, 7, 1, to=bob)


def test_no_more_is_settled_than_the_margin(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    svm.open_position(alice, 8, 400)
    with refused("AmountExceedsMargin"):
        svm.settle_position(alice, 7, 401, to=bob)


def test_a_settlement_from_somebody_elses_vault_is_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    svm.open_position(bob, 7, 400)
    with refused("WrongVault"):
        svm.settle_position(bob, 7, 1, to=bob, from_vault=alice.vault, from_token_account=alice.vault_tokens)


def test_a_settlement_to_the_payers_own_vault_is_refused(svm: VaultSvm, alice: User) -> None:
    svm.open_position(alice, 7, 400)
    with refused("SelfTransfer"):
        svm.settle_position(alice, 7, 1, to=alice)


def test_the_callers_signature_goes_to_no_other_program(svm: VaultSvm, alice: User) -> None:
    with refused("InvalidProgramId"):
        svm.open_position(alice, 7, 1, vault_manager_program=svm.positions.program)


def test_positions_of_nothing_are_refused(svm: VaultSvm, alice: User, bob: User) -> None:
    with refused("ZeroAmount"):
        svm.open_position(alice, 7, 0)
    svm.open_position(alice, 7, 1)
    with refused("ZeroAmount"):
        svm.settle_position(alice, 7, 0, to=bob)


def test_nobody_but_the_upgrade_authority_sets_the_settlement_admin(empty: VaultSvm) -> None:
    mallory = empty.new_keypair()
    with refused("NotUpgradeAuthority"):
        empty.initialize_config(mallory)
    empty.set_upgrade_authority(empty.vaults.program, mallory.pubkey())
    with refused("WrongProgramData"):
        empty.initialize_config(mallory, program_data=pda(LOADER, bytes(empty.vaults.program)))


def test_the_settlement_admin_is_set_once(svm: VaultSvm) -> None:
    with pytest.raises(Refused, match="already in use"):
        svm.initialize_config()
