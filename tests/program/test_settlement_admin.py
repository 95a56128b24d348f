"""propose_settlement_admin and accept_settlement_admin: who settles hands over in two steps."""

import pytest
from solders.keypair import Keypair

from tests.program.chain import refused
from tests.program.vault_svm import User, VaultSvm


@pytest.fixture
def next_admin(svm: VaultSvm) -> Keypair:
    return svm.new_keypair()


def test_a_proposal_changes_nothing_but_who_may_accept(
    svm: VaultSvm, alice: User, bob: User, next_admin: Keypair
) -> None:
    svm.open_position(alice, 7, 400)
    svm.propose_settlement_admin(next_admin.pubkey())

    config = svm.config()
    assert (config["admin"], config["pending_admin"]) == (svm.admin.pubkey(), next_admin.pubkey())
    with refused("NotAdmin"):
        svm.settle_position(alice, 7, 1, bob, next_admin)
    svm.settle_position(alice, 7, 1, bob, svm.admin)


def test_who_accepts_settles_and_the_one_before_does_not(
    svm: VaultSvm, alice: User, bob: User, next_admin: Keypair
) -> None:
    svm.open_position(alice, 7, 400)
    svm.propose_settlement_admin(next_admin.pubkey())
    svm.accept_settlement_admin(next_admin)

    config = svm.config()
    assert (config["admin"], config["pending_admin"]) == (next_admin.pubkey(), None)
    svm.settle_position(alice, 7, 1, bob, next_admin)
    with refused("NotAdmin"):
        svm.settle_position(alice, 7, 1, bob, svm.admin)
    with refused("NotAdmin"):
        svm.propose_settlement_admin(svm.admin.pubkey(), svm.admin)


def test_an_admin_who_proposes_oneself_leaves_no_proposal(svm: VaultSvm, next_admin: Keypair) -> None:
    svm.propose_settlement_admin(next_admin.pubkey())
    svm.propose_settlement_admin(svm.admin.pubkey())

    assert svm.config()["pending_admin"] is None
    for nobody in (next_admin, svm.admin):
        with refused("NotPendingAdmin"):
            svm.accept_settlement_admin(nobody)
