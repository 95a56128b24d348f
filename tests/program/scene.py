"""One instruction of either program, about to be called as it should be."""

from collections.abc import Callable, Mapping

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from tests.program.anchor_idl import AnchorIdl
from tests.program.chain import LOADER, Sent, pda
from tests.program.vault_svm import PROGRAMS, VaultSvm, between, of_user

VAULTS = AnchorIdl(PROGRAMS / "vault_manager.json")
POSITIONS = AnchorIdl(PROGRAMS / "position_manager.json")
IDLS = {name: idl for idl in (VAULTS, POSITIONS) for name in idl.instructions}
SET_UP = ("initialize_authority", "initialize_config")

# What an instruction creates or, for the token account, may create.
CREATED = {
    "initialize_authority": ["authority"],
    "initialize_vault": ["vault", "token_account"],
    "initialize_config": ["config"],
    "open_position": ["position"],
}


class Scene:
    """Alice has 1,000 base units in a vault, 400 of them locked for her position 7, and 500 in a token account; Bob has
    the same, locked for a position 7 of his. Carol has tokens and no vault. The position-manager is authorised, and a
    next admin of both programs proposed. Where `instruction` is one that sets up, nothing of that has happened yet.
    The chain does not check signatures; the programs see who signs."""

    def __init__(self, instruction: str, *, first_key: int = 0) -> None:
        self.svm = VaultSvm(trusting=True, first_key=first_key)
        self.instruction = instruction
        self.next_admin = self.svm.new_keypair()
        self.mallory = self.svm.new_user(tokens=1_500)
        self.carol = self.svm.new_user(tokens=500)
        if instruction not in SET_UP:
            self._set_up()
        self.accounts = {name: self._everything()[name] for name in self._idl.accounts_of(instruction)}
        self.arguments: dict[str, int | Pubkey] = {
            name: self._arguments()[name] for name in self._idl.arguments_of(instruction)
        }
        self.unsigned: set[str] = set()
        self.read_only: set[str] = set()
        self.left_out: set[str] = set()
        self.data_end: int | None = None
        """As in a slice: the data ends there."""
        self.first: list[Instruction] = []
        """What is done before, in the same transaction."""
        self.wrapped: Callable[[Instruction], Instruction] = lambda call: call
        """What is sent to have the call made."""

    def call(self) -> Sent:
        return self.svm.send_all([*self.first, self.wrapped(self._call())], [])

    def read(self, account: str) -> Account:
        return self.svm.account(self.accounts[account])

    def write(self, account: str, data: bytes, owner: Pubkey | None = None) -> None:
        """Makes the account what no program would."""
        old = self.read(account)
        self.svm.svm.set_account(self.accounts[account], Account(old.lamports, data, owner or old.owner))

    @property
    def number(self) -> int:
        """Of the position."""
        return 8 if self.instruction == "open_position" else 7

    def _call(self) -> Instruction:
        built = self._idl.instruction(self.instruction, self.accounts, *self.arguments.values())
        metas = [
            self._meta(name, meta)
            for name, meta in zip(self.accounts, built.accounts, strict=True)
            if name not in self.left_out
        ]
        return Instruction(built.program_id, built.data[: self.data_end], metas)

    def _meta(self, name: str, meta: AccountMeta) -> AccountMeta:
        signs = meta.is_signer and name not in self.unsigned
        return AccountMeta(meta.pubkey, signs, meta.is_writable and name not in self.read_only)

    @property
    def _idl(self) -> AnchorIdl:
        return IDLS[self.instruction]

    def _set_up(self) -> None:
        svm = self.svm
        svm.initialize_authority()
        svm.add_program(svm.positions.program)
        svm.initialize_config()
        self.alice, self.bob = svm.new_depositor(), svm.new_depositor()
        svm.open_position(self.alice, 7, 400)
        svm.open_position(self.bob, 7, 400)
        svm.propose_admin(self.next_admin.pubkey())
        svm.propose_settlement_admin(self.next_admin.pubkey())

    def _everything(self) -> Mapping[str, Pubkey]:
        """Every account by its name in the IDLs."""
        signers = {"admin": self.svm.admin.pubkey(), "pending_admin": self.next_admin.pubkey()}
        found = self.svm.everywhere() | signers | {"program_data": pda(LOADER, bytes(self._idl.program))}
        if self.instruction in SET_UP:
            return found
        owner = self.carol if self.instruction == "initialize_vault" else self.alice
        position = self.svm.position_address(self.alice, self.number)
        return found | of_user(owner) | between(self.alice, self.bob) | {"position": position}

    def _arguments(self) -> Mapping[str, int | Pubkey]:
        """Every argument by its name in the IDLs."""
        removing = self.instruction == "remove_authorized_program"
        return {
            "amount": 100,
            "margin": 100,
            "id": self.number,
            "serial": self.svm.serial(self.alice, self.number),
            "program": self.svm.positions.program if removing else self.svm.new_address(),
            "new_admin": Pubkey.from_bytes(b"a" * 32),
        }
