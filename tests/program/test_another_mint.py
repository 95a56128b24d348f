"""A mint and tokens that fit each other, but not the vaults: refused before the token program has to."""

import pytest
from solders.pubkey import Pubkey

from tests.program.chain import refused
from tests.program.vault_svm import User, VaultSvm


@pytest.fixture
def other(svm: VaultSvm) -> Pubkey:
    return svm.new_mint()


@pytest.fixture
def others(svm: VaultSvm, alice: User, other: Pubkey) -> Pubkey:
    """Alice's, of the other mint."""
    return svm.set_tokens(svm.new_address(), other, alice.key, 1_000)


def test_another_mints_tokens_are_not_deposited(svm: VaultSvm, alice: User, other: Pubkey, others: Pubkey) -> None:
    with refused("WrongMint"):
        svm.deposit(alice, 1, collateral_mint=other, owner_token_account=others)


def test_nothing_is_withdrawn_as_another_mints_tokens(
    svm: VaultSvm, alice: User, other: Pubkey, others: Pubkey
) -> None:
    with refused("WrongMint"):
        svm.withdraw(alice, 1, collateral_mint=other, owner_token_account=others)
