"""A program that calls what it is told to call, for tests of what a program does with a signature."""

from pathlib import Path

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from tests.program.vault_svm import VaultSvm

RELAY = Path(__file__).with_name("relay") / "relay.so"


class Relay:
    """Under an id of its own, where it is authorised or not."""

    def __init__(self, svm: VaultSvm) -> None:
        self.program = svm.new_address()
        self.caller, self._bump = Pubkey.find_program_address([b"vault_caller"], self.program)
        svm.svm.add_program_from_file(self.program, RELAY)

    def signing(self, call: Instruction) -> Instruction:
        return self._relayed(self._bump, call)

    def passing_on(self, call: Instruction) -> Instruction:
        """Whoever has signed for it signs the call."""
        return self._relayed(0, call)

    def _relayed(self, bump: int, call: Instruction) -> Instruction:
        """An address that no key signs for is not said to sign, since the program will say so."""
        metas = [
            AccountMeta(call.program_id, False, False),
            *(
                AccountMeta(meta.pubkey, meta.is_signer and meta.pubkey.is_on_curve(), meta.is_writable)
                for meta in call.accounts
            ),
        ]
        return Instruction(self.program, bytes([bump]) + call.data, metas)
