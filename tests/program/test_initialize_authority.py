"""initialize_authority: the upgrade authority, and nobody before it, sets the admin and the mint."""

import pytest
from solders.pubkey import Pubkey

from tests.program.chain import LOADER, NOW, Refused, pda, refused
from tests.program.vault_svm import VaultSvm

TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")


def test_the_upgrade_authority_becomes_the_admin(empty: VaultSvm) -> None:
    [(name, event)] = empty.initialize_authority().events

    governance = empty.governance()
    assert governance["admin"] == empty.admin.pubkey()
    assert governance["pending_admin"] is None
    assert governance["collateral_mint"] == empty.mint
    assert governance["authorized_programs"] == []
    assert name == "AuthorityInitialized"
    assert event == {
        "authority": empty.authority,
        "admin": governance["admin"],
        "collateral_mint": governance["collateral_mint"],
        "decimals": 6,
        "timestamp": NOW,
    }


def test_nobody_else_can_set_up(empty: VaultSvm) -> None:
    with refused("NotUpgradeAuthority"):
        empty.initialize_authority(empty.new_keypair())


def test_nobody_can_set_up_a_program_that_nobody_can_upgrade(empty: VaultSvm) -> None:
    empty.set_upgrade_authority(empty.vaults.program, None)
    with refused("NotUpgradeAuthority"):
        empty.initialize_authority()


def test_the_upgrade_authority_of_another_program_cannot_set_up(empty: VaultSvm) -> None:
    mallory = empty.new_keypair()
    empty.set_upgrade_authority(empty.positions.program, mallory.pubkey())
    with refused("WrongProgramData"):
        empty.initialize_authority(mallory, program_data=pda(LOADER, bytes(empty.positions.program)))


def test_set_up_happens_once(svm: VaultSvm) -> None:
    before = svm.account(svm.authority)
    with pytest.raises(Refused, match="already in use"):
        svm.initialize_authority(collateral_mint=svm.new_mint())
    assert svm.account(svm.authority) == before


def test_a_mint_of_another_token_program_is_refused(empty: VaultSvm) -> None:
    with refused("AccountOwnedByWrongProgram"):
        empty.initialize_authority(collateral_mint=empty.new_mint(TOKEN_2022))
