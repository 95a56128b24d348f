"""add_authorized_program and remove_authorized_program: the admin says which programs are trusted."""

from solders.pubkey import Pubkey

from tests.program.chain import NOW, pda, refused
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


def test_the_eleventh_program_is_refused(svm: VaultSvm) -> None:
    for _ in range(9):
        svm.add_program(Pubkey.new_unique())
    with refused("TooManyPrograms"):
        svm.add_program(Pubkey.new_unique())
    assert len(svm.governance()["authorized_programs"]) == 10


def test_the_same_program_twice_is_refused(svm: VaultSvm) -> None:
    with refused("ProgramAlreadyAuthorized"):
        svm.add_program(svm.positions.program)


def test_removing_a_program_that_is_not_there_is_refused(svm: VaultSvm) -> None:
    with refused("ProgramNotAuthorized"):
        svm.remove_program(Pubkey.new_unique())


def test_nobody_but_the_admin_adds_or_removes(svm: VaultSvm) -> None:
    mallory = svm.new_keypair()
    with refused("NotAdmin"):
        svm.add_program(Pubkey.new_unique(), mallory)
    with refused("NotAdmin"):
        svm.remove_program(svm.positions.program, mallory)


def test_the_admins_address_without_its_signature_is_refused(svm: VaultSvm) -> None:
    svm.unsigned.add(svm.admin.pubkey())
    with refused("AccountNotSigner"):
        svm.add_program(Pubkey.new_unique())
    with refused("AccountNotSigner"):
        svm.remove_program(svm.positions.program)
