"""What no instruction of the IDL is: the call by which events are emitted, and calls that mean nothing."""

from solders.instruction import AccountMeta, Instruction

from tests.program.anchor_idl import EVENT_TAG
from tests.program.chain import pda, refused
from tests.program.vault_svm import User, VaultSvm


def test_nobody_but_the_program_emits_its_events(svm: VaultSvm, alice: User) -> None:
    signer = pda(svm.vaults.program, b"__event_authority")
    unsigned = AccountMeta(signer, False, False)
    mallory = svm.new_keypair()
    with refused("ConstraintSigner"):
        svm.send(Instruction(svm.vaults.program, EVENT_TAG + bytes(100), [unsigned]), [])
    with refused("ConstraintSeeds"):
        svm.send(Instruction(svm.vaults.program, EVENT_TAG, [AccountMeta(mallory.pubkey(), True, False)]), [mallory])


def test_an_instruction_that_there_is_not_is_refused(svm: VaultSvm) -> None:
    for program in (svm.vaults.program, svm.positions.program):
        with refused("InstructionFallbackNotFound"):
            svm.send(Instruction(program, bytes(8), []), [])
