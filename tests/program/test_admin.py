"""propose_admin and accept_admin: the admin hands over in two steps."""

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from tests.program.chain import NOW, refused
from tests.program.vault_svm import VaultSvm


@pytest.fixture
def next_admin(svm: VaultSvm) -> Keypair:
    return svm.new_keypair()


def test_a_proposal_changes_nothing_but_who_may_accept(svm: VaultSvm, next_admin: Keypair) -> None:
    [(name, event)] = svm.propose_admin(next_admin.pubkey()).events

    governance = svm.governance()
    assert governance["admin"] == svm.admin.pubkey()
    assert governance["pending_admin"] == next_admin.pubkey()
    assert name == "AdminProposed"
    assert event == {
        "authority": svm.authority,
        "admin": governance["admin"],
        "pending_admin": governance["pending_admin"],
        "timestamp": NOW,
    }
    with refused("NotAdmin"):
        svm.add_program(Pubkey.new_unique(), next_admin)


def test_who_accepts_is_the_admin_and_the_one_before_is_not(svm: VaultSvm, next_admin: Keypair) -> None:
    svm.propose_admin(next_admin.pubkey())
    [(name, event)] = svm.accept_admin(next_admin).events

    governance = svm.governance()
    assert governance["admin"] == next_admin.pubkey()
    assert governance["pending_admin"] is None
    assert name == "AdminAccepted"
    assert event == {
        "authority": svm.authority,
        "previous_admin": svm.admin.pubkey(),
        "admin": governance["admin"],
        "timestamp": NOW,
    }
    svm.add_program(Pubkey.new_unique(), next_admin)
    with refused("NotAdmin"):
        svm.add_program(Pubkey.new_unique(), svm.admin)


def test_an_admin_who_proposes_oneself_leaves_no_proposal(svm: VaultSvm, next_admin: Keypair) -> None:
    svm.propose_admin(next_admin.pubkey())
    [(name, event)] = svm.propose_admin(svm.admin.pubkey()).events

    assert svm.governance()["pending_admin"] is None
    assert (name, event["pending_admin"]) == ("AdminProposed", svm.admin.pubkey())
    for nobody in (next_admin, svm.admin):
        with refused("NotPendingAdmin"):
            svm.accept_admin(nobody)
