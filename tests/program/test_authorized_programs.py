"""add_authorized_program and remove_authorized_program: the admin says which programs are trusted."""

from solders.pubkey import Pubkey

from tests.program.chain import NOW, pda
from tests.program.vault_svm import VaultSvm


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
