"""Chains to test on, with and without what stands on them at first."""

import pytest
from solders.pubkey import Pubkey

from tests.program.chain import pda
from tests.program.vault_svm import User, VaultSvm


@pytest.fixture
def empty() -> VaultSvm:
    """Both programs deployed, nothing set up."""
    return VaultSvm()


@pytest.fixture
def svm(empty: VaultSvm) -> VaultSvm:
    """Both programs set up, the position-manager authorised."""
    empty.initialize_authority()
    empty.add_program(empty.positions.program)
    empty.initialize_config()
    return empty


@pytest.fixture
def alice(svm: VaultSvm) -> User:
    """Has 1,000 base units in the vault and 500 more in a token account."""
    return svm.new_depositor()


@pytest.fixture
def bob(svm: VaultSvm) -> User:
    """As Alice."""
    return svm.new_depositor()


@pytest.fixture
def trusting() -> VaultSvm:
    """The vault-manager set up on a chain that does not check signatures."""
    svm = VaultSvm(trusting=True)
    svm.initialize_authority()
    return svm


@pytest.fixture
def program(trusting: VaultSvm) -> Pubkey:
    """An authorised program on the trusting chain, of which there is nothing but the id."""
    program = Pubkey.new_unique()
    trusting.add_program(program)
    return program


@pytest.fixture
def caller(program: Pubkey) -> Pubkey:
    """By which `program` signs."""
    return pda(program, b"vault_caller")
