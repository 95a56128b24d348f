"""transfer_collateral: authorised programs, and nobody else, move available collateral from vault to vault."""

import pytest
from solders.pubkey import Pubkey

from tests.program.chain import NOW, refused
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
