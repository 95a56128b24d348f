"""Both programs on a chain in memory, driven instruction by instruction."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from tests.program.anchor_idl import EVENT_TAG, AnchorIdl, Fields
from tests.program.chain import ASSOCIATED_TOKEN, LOADER, SYSTEM, TOKEN, Chain, Sent, pda
from tests.program.replay import Replay

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("VAULT_PROGRAMS_DIR", ROOT / "programs" / "artifacts"))


@dataclass(frozen=True, kw_only=True)
class User:
    keypair: Keypair
    vault: Pubkey
    vault_tokens: Pubkey
    """The vault's own token account."""
    tokens: Pubkey
    """The user's token account; not an associated one."""

    @property
    def key(self) -> Pubkey:
        return self.keypair.pubkey()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    events: list[tuple[str, Fields]]
    """The vault-manager's, in order."""
    returned: bytes


class VaultSvm(Chain):
    """In what can be done, `changed` replaces accounts by their names in the IDL. Of whatever is sent, the events must
    tell all that the vault-manager's accounts hold afterwards."""

    def __init__(self, *, trusting: bool = False, first_key: int = 0) -> None:
        super().__init__(trusting=trusting, first_key=first_key)
        self.vaults = AnchorIdl(PROGRAMS / "vault_manager.json")
        self.positions = AnchorIdl(PROGRAMS / "position_manager.json")
        self.admin = self.new_keypair()
        self.mint = self.new_mint()
        self.authority = pda(self.vaults.program, b"authority")
        self.caller = pda(self.positions.program, b"vault_caller")
        self.unsigned: set[Pubkey] = set()
        """Keys whose signature is left out, and the instruction says so."""
        self.units: dict[str, int] = {}
        """Compute units of the last run of each instruction."""
        for idl, name in ((self.vaults, "vault_manager"), (self.positions, "position_manager")):
            self.svm.add_program_from_file(idl.program, PROGRAMS / f"{name}.so")
            self.set_upgrade_authority(idl.program, self.admin.pubkey())

    def new_user(self, tokens: int = 0) -> User:
        """Without a vault."""
        keypair = self.new_keypair()
        vault = pda(self.vaults.program, b"vault", bytes(keypair.pubkey()))
        return User(
            keypair=keypair,
            vault=vault,
            vault_tokens=get_associated_token_address(vault, self.mint),
            tokens=self.set_tokens(self.new_address(), self.mint, keypair.pubkey(), tokens),
        )

    def new_depositor(self) -> User:
        """With 1,000 base units in a vault and 500 more in a token account."""
        user = self.new_user(tokens=1_500)
        self.initialize_vault(user)
        self.deposit(user, 1_000)
        return user

    # What there is.

    def governance(self) -> Fields:
        return self.vaults.account("VaultAuthority", self.account(self.authority).data)

    def vault(self, user: User) -> Fields:
        return self.vaults.account("CollateralVault", self.account(user.vault).data)

    def balances(self, user: User) -> tuple[int, int, int]:
        """Total, locked and available."""
        vault = self.vault(user)
        return vault["total_balance"], vault["locked_balance"], vault["available_balance"]

    def set_vault_number(self, user: User, name: str, value: int) -> None:
        """Makes a vault such as no instruction would."""
        numbers = ["total_balance", "locked_balance", "available_balance", "total_deposited", "total_withdrawn"]
        at = 8 + 32 + 32 + 8 * numbers.index(name)  # after the discriminator, owner and token account
        account = self.account(user.vault)
        data = account.data[:at] + value.to_bytes(8, "little") + account.data[at + 8 :]
        self.svm.set_account(user.vault, Account(account.lamports, data, account.owner))

    def position_address(self, user: User, number: int) -> Pubkey:
        return pda(self.positions.program, b"position", bytes(user.key), number.to_bytes(8, "little"))

    def position(self, user: User, number: int) -> Fields:
        return self.positions.account("Position", self.account(self.position_address(user, number)).data)

    def serial(self, user: User, number: int) -> int:
        """By which a settlement names the position; 0, which none has, where there is no position."""
        there = self.svm.get_account(self.position_address(user, number)) is not None
        return int(self.position(user, number)["serial"]) if there else 0

    def config(self) -> Fields:
        return self.positions.account("Config", self.account(self.everywhere()["config"]).data)

    # What can be done with the vault-manager.

    def initialize_authority(self, admin: Keypair | None = None, **changed: Pubkey) -> Outcome:
        admin = admin or self.admin
        own = {"admin": admin.pubkey(), "program_data": pda(LOADER, bytes(self.vaults.program))}
        return self._run(self.vaults, "initialize_authority", own | changed, [admin])

    def initialize_vault(self, user: User, **changed: Pubkey) -> Outcome:
        return self._run(self.vaults, "initialize_vault", of_user(user) | changed, [user.keypair])

    def deposit(self, user: User, amount: int, **changed: Pubkey) -> Outcome:
        return self._run(self.vaults, "deposit", of_user(user) | changed, [user.keypair], amount)

    def withdraw(self, user: User, amount: int, **changed: Pubkey) -> Outcome:
        return self._run(self.vaults, "withdraw", of_user(user) | changed, [user.keypair], amount)

    def lock(self, user: User, amount: int, caller: Pubkey, *signers: Keypair, **changed: Pubkey) -> Outcome:
        own = of_user(user) | {"caller": caller}
        return self._run(self.vaults, "lock_collateral", own | changed, list(signers), amount)

    def unlock(self, user: User, amount: int, caller: Pubkey, *signers: Keypair, **changed: Pubkey) -> Outcome:
        own = of_user(user) | {"caller": caller}
        return self._run(self.vaults, "unlock_collateral", own | changed, list(signers), amount)

    def transfer(
        self, sender: User, to: User, amount: int, caller: Pubkey, *signers: Keypair, **changed: Pubkey
    ) -> Outcome:
        own = between(sender, to) | {"caller": caller}
        return self._run(self.vaults, "transfer_collateral", own | changed, list(signers), amount)

    def add_program(self, program: Pubkey, admin: Keypair | None = None) -> Outcome:
        return self._govern("add_authorized_program", admin, program)

    def remove_program(self, program: Pubkey, admin: Keypair | None = None) -> Outcome:
        return self._govern("remove_authorized_program", admin, program)

    def propose_admin(self, new: Pubkey, admin: Keypair | None = None) -> Outcome:
        return self._govern("propose_admin", admin, new)

    def accept_admin(self, pending: Keypair) -> Outcome:
        return self._run(self.vaults, "accept_admin", {"pending_admin": pending.pubkey()}, [pending])

    def _govern(self, name: str, admin: Keypair | None, subject: Pubkey) -> Outcome:
        admin = admin or self.admin
        return self._run(self.vaults, name, {"admin": admin.pubkey()}, [admin], subject)

    # What can be done with the position-manager.

    def initialize_config(self, admin: Keypair | None = None, **changed: Pubkey) -> Outcome:
        admin = admin or self.admin
        own = {"admin": admin.pubkey(), "program_data": pda(LOADER, bytes(self.positions.program))}
        return self._run(self.positions, "initialize_config", own | changed, [admin])

    def open_position(self, user: User, number: int, margin: int, **changed: Pubkey) -> Outcome:
        own = of_user(user) | {"position": self.position_address(user, number)}
        return self._run(self.positions, "open_position", own | changed, [user.keypair], number, margin)

    def close_position(self, user: User, number: int, **changed: Pubkey) -> Outcome:
        own = of_user(user) | {"position": self.position_address(user, number)}
        return self._run(self.positions, "close_position", own | changed, [user.keypair], number)

    def settle_position(
        self,
        user: User,
        number: int,
        amount: int,
        to: User,
        admin: Keypair | None = None,
        serial: int | None = None,
        **changed: Pubkey,
    ) -> Outcome:
        """Without `serial`, of the position that is there."""
        admin = admin or self.admin
        serial = self.serial(user, number) if serial is None else serial
        own = {"admin": admin.pubkey(), "position": self.position_address(user, number)} | between(user, to)
        return self._run(self.positions, "settle_position", own | changed, [admin], serial, amount)

    def propose_settlement_admin(self, new: Pubkey, admin: Keypair | None = None) -> Outcome:
        admin = admin or self.admin
        return self._run(self.positions, "propose_settlement_admin", {"admin": admin.pubkey()}, [admin], new)

    def accept_settlement_admin(self, pending: Keypair) -> Outcome:
        accounts = {"pending_admin": pending.pubkey()}
        return self._run(self.positions, "accept_settlement_admin", accounts, [pending])

    # How it is done.

    def send_all(self, instructions: Sequence[Instruction], signers: Sequence[Keypair]) -> Sent:
        sent = super().send_all(instructions, signers)
        self.assert_events_tell_all(sent)
        return sent

    def assert_events_tell_all(self, sent: Sent) -> None:
        """From what the accounts held before and from the events follows what they hold, and nothing else changed. No
        account goes."""
        replay = Replay()
        replay.vaults = self._own_accounts(sent.before)
        replay.authority = replay.vaults.pop(self.authority, {})
        for name, event in self.events_of(sent):
            replay.take(name, event)
        told = replay.vaults | {self.authority: replay.authority}
        after = self._own_accounts(self._accounts(sent.keys))
        gone = self._own_accounts(sent.before).keys() - after.keys()
        assert not gone, f"an account is gone: {gone}"
        for address, fields in after.items():
            assert told.get(address), f"no event tells of {address}"
            assert fields == fields | told[address], f"{address} holds something else than the events tell"

    def _own_accounts(self, accounts: Mapping[Pubkey, Account | None]) -> dict[Pubkey, Fields]:
        """The vault-manager's among them, decoded."""
        own = ((key, account.data) for key, account in accounts.items() if account and self._is_own(account))
        return {key: self.vaults.account(self.vaults.account_name(data), data) for key, data in own}

    def _is_own(self, account: Account) -> bool:
        return account.owner == self.vaults.program

    def _run(
        self, idl: AnchorIdl, name: str, accounts: dict[str, Pubkey], signers: list[Keypair], *arguments: object
    ) -> Outcome:
        instruction = idl.instruction(name, self.everywhere() | accounts, *arguments)
        metas = [
            AccountMeta(meta.pubkey, meta.is_signer and meta.pubkey not in self.unsigned, meta.is_writable)
            for meta in instruction.accounts
        ]
        sent = self.send(Instruction(instruction.program_id, instruction.data, metas), signers)
        self.units[name] = sent.result.compute_units_consumed()
        return Outcome(events=self.events_of(sent), returned=bytes(sent.result.return_data().data))

    def everywhere(self) -> dict[str, Pubkey]:
        """The accounts that are the same in every instruction."""
        return {
            "authority": self.authority,
            "vault_authority": self.authority,
            "collateral_mint": self.mint,
            "caller": self.caller,
            "config": pda(self.positions.program, b"config"),
            "event_authority": pda(self.vaults.program, b"__event_authority"),
            "program": self.vaults.program,
            "vault_manager_program": self.vaults.program,
            "position_manager_program": self.positions.program,
            "token_program": TOKEN,
            "associated_token_program": ASSOCIATED_TOKEN,
            "system_program": SYSTEM,
        }

    def events_of(self, sent: Sent) -> list[tuple[str, Fields]]:
        """What the vault-manager called itself with."""
        calls = [inner.instruction() for of_one in sent.result.inner_instructions() for inner in of_one]
        own = [bytes(call.data) for call in calls if sent.keys[call.program_id_index] == self.vaults.program]
        return [self.vaults.event(data.removeprefix(EVENT_TAG)) for data in own if data.startswith(EVENT_TAG)]


def of_user(user: User) -> dict[str, Pubkey]:
    """Accounts by their names in the IDLs."""
    return {
        "owner": user.key,
        "vault": user.vault,
        "token_account": user.vault_tokens,
        "owner_token_account": user.tokens,
    }


def between(sender: User, to: User) -> dict[str, Pubkey]:
    """Accounts by their names in the IDLs."""
    return {
        "from_vault": sender.vault,
        "from_token_account": sender.vault_tokens,
        "to_vault": to.vault,
        "to_token_account": to.vault_tokens,
    }
