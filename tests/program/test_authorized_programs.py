"""add_authorized_program and remove_authorized_program: the admin says which programs are trusted."""

from solders.pubkey import Pubkey

from tests.program.chain import NOW, pda, refused
from tests.program.vault_svm import User, VaultSvm


def test_a_program_is_added_with_the_address_by_which_it_signs(svm: VaultSvm) -> None:
    program = Pubkey.new_unique()
    [(name, event)] = svm.add_program(program).events

    assert svm.governance()["authorized_programs"] == [
        {"program": svm.positions.program, "caller": svm.caller},
        {"program": program, "caller": pda(program, b"vault_caller")},
    ]
    assert name == "ProgramAuthorized"
    assert event == {
        "authority": svm.authority,
        "admin": svm.admin.pubkey(),
        "program": program,
        "timestamp": NOW,
    }


def test_a_program_is_removed_and_the_others_stay(svm: VaultSvm) -> None:
    other = Pubkey.new_unique()
    svm.add_program(other)
    [(name, event)] = svm.remove_program(svm.positions.program).events

    assert [entry["program"] for entry in svm.governance()["authorized_programs"]] == [other]
    assert name == "ProgramRevoked"
    assert event == {
        "authority": svm.authority,
        "admin": svm.admin.pubkey(),
        "program": svm.positions.program,
        "timestamp": NOW,
    }


def test_an_address_where_no_program_stands_is_added_and_whoever_holds_its_key_can_do_nothing_with_it(
    svm: VaultSvm, alice: User
) -> None:
    """Until a program stands there, which docs/program.md says."""
    wallet = svm.new_keypair()
    svm.add_program(wallet.pubkey())
    with refused("UnauthorizedCaller"):
        svm.lock(alice, 1, wallet.pubkey(), wallet)
