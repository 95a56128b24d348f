"""initialize_authority: the upgrade authority, and nobody before it, sets the admin and the mint."""

from solders.pubkey import Pubkey

from tests.program.chain import NOW
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
