"""A chain in memory: accounts, tokens, time, and transactions that succeed or are refused by name."""

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

import pytest
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

SYSTEM = Pubkey.default()
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
ASSOCIATED_TOKEN = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")

# What the programs that ours call say by number only.
ERRORS = {SYSTEM: {0: "AccountAlreadyInUse"}, TOKEN: {1: "InsufficientFunds", 4: "OwnerMismatch", 17: "AccountFrozen"}}

SOL = 10**9
NOW = 1_800_000_000  # Unix seconds at which every chain starts


class Refused(Exception):
    """The chain refused the transaction; `name` is the error's, `program` the one that failed first."""

    def __init__(self, failed: FailedTransactionMetadata) -> None:
        logs = "\n".join(failed.meta().logs())
        self.name = _error_name(failed, logs)
        found = re.search(r"Program (\w+) failed: ", logs)
        self.program = Pubkey.from_string(found[1]) if found else None
        super().__init__(f"{self.name}\n{logs}")


@contextmanager
def refused(name: str, by: Pubkey | None = None) -> Iterator[None]:
    """The transaction inside is refused with the error of this name, by this program or by any, and changes nothing
    (which `send` checks)."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.name == name, caught.value
    assert by in {None, caught.value.program}, caught.value


def pda(program: Pubkey, *seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(list(seeds), program)[0]


@dataclass(frozen=True, kw_only=True)
class Sent:
    keys: list[Pubkey]
    """Of the message, in its order."""
    before: dict[Pubkey, Account | None]
    """What was at each key."""
    result: TransactionMetadata


class Chain:
    """Transactions are paid for by nobody who takes part in them. Keys come in the same order on every chain, so that
    what a transaction costs can be compared. A `trusting` chain does not check signatures, the way to speak for a
    program-derived address without having its program; programs still see who signs and who not. With another first
    key all keys are others."""

    def __init__(self, *, trusting: bool = False, first_key: int = 0) -> None:
        self.svm = LiteSVM().with_sigverify(not trusting)
        self._seeds = count(first_key)
        self._payer = self.new_keypair()
        self.set_time(NOW)

    def new_keypair(self) -> Keypair:
        """With enough lamports for any number of accounts."""
        keypair = self._keypair()
        self.svm.airdrop(keypair.pubkey(), 10 * SOL)
        return keypair

    def new_address(self) -> Pubkey:
        """With nothing there."""
        return self._keypair().pubkey()

    def _keypair(self) -> Keypair:
        return Keypair.from_seed(sha256(str(next(self._seeds)).encode()).digest())

    def set_time(self, unix_seconds: int) -> None:
        clock = self.svm.get_clock()
        clock.unix_timestamp = unix_seconds
        self.svm.set_clock(clock)

    def account(self, address: Pubkey) -> Account:
        account = self.svm.get_account(address)
        assert account is not None, f"there is no account {address}"
        return account

    def set_upgrade_authority(self, program: Pubkey, authority: Pubkey | None) -> None:
        """In the ProgramData account: u32 state, u64 slot, u8 whether there is an authority, its 32 bytes, the ELF."""
        address = pda(LOADER, bytes(program))
        account = self.account(address)
        option = bytes(33) if authority is None else b"\1" + bytes(authority)
        self.svm.set_account(address, Account(account.lamports, account.data[:12] + option + account.data[45:], LOADER))

    def new_mint(self, program: Pubkey = TOKEN) -> Pubkey:
        """With 6 decimals, and nobody to mint more."""
        mint = self.new_address()
        data = struct.pack("<I32sQBBI32s", 0, bytes(32), 10**18, 6, 1, 0, bytes(32))
        self.svm.set_account(mint, Account(SOL, data, program))
        return mint

    def set_tokens(self, address: Pubkey, mint: Pubkey, owner: Pubkey, amount: int, *, frozen: bool = False) -> Pubkey:
        """Makes `address` a token account with `amount` base units in it."""
        state = 2 if frozen else 1
        nobody = 0, bytes(32), state, 0, 0, 0, 0, bytes(32)  # no delegate; its state; not native; no close authority
        data = struct.pack("<32s32sQI32sBIQQI32s", bytes(mint), bytes(owner), amount, *nobody)
        self.svm.set_account(address, Account(SOL, data, TOKEN))
        return address

    def tokens(self, address: Pubkey) -> int:
        return int.from_bytes(self.account(address).data[64:72], "little")

    def send(self, instruction: Instruction, signers: Sequence[Keypair]) -> Sent:
        """Raises `Refused`, having checked that nothing changed but the payer's balance."""
        return self.send_all([instruction], signers)

    def send_all(self, instructions: Sequence[Instruction], signers: Sequence[Keypair]) -> Sent:
        """As `send`, all in one transaction."""
        message = MessageV0.try_compile(self._payer.pubkey(), instructions, [], self.svm.latest_blockhash())
        keys = message.account_keys
        before = self._accounts(keys)
        result = self.svm.send_transaction(self._signed(message, [self._payer, *signers]))
        self.svm.expire_blockhash()  # so that the same instruction can be sent again
        if isinstance(result, FailedTransactionMetadata):
            self._assert_nothing_changed(before)
            raise Refused(result)
        return Sent(keys=keys, before=before, result=result)

    def _accounts(self, keys: Sequence[Pubkey]) -> dict[Pubkey, Account | None]:
        return {key: self.svm.get_account(key) for key in keys}

    def _assert_nothing_changed(self, before: dict[Pubkey, Account | None]) -> None:
        """Every account of the transaction to the byte, but for what the payer paid."""
        after = self._accounts(list(before))
        payer = self._payer.pubkey()
        paid, had = after.pop(payer), before[payer]
        assert paid is not None
        assert had is not None
        assert (paid.data, paid.owner) == (had.data, had.owner)
        assert after == {key: account for key, account in before.items() if key != payer}

    def _signed(self, message: MessageV0, signers: Sequence[Keypair]) -> VersionedTransaction:
        """Signatures that are missing are zeroes."""
        by_key = {signer.pubkey(): signer for signer in signers}
        required = message.account_keys[: message.header.num_required_signatures]
        text = b"\x80" + bytes(message)  # what is signed begins with the message's version, 0
        signatures = [by_key[key].sign_message(text) if key in by_key else Signature.default() for key in required]
        return VersionedTransaction.populate(message, signatures)


def _error_name(failed: FailedTransactionMetadata, logs: str) -> str:
    """As Anchor logs it, the innermost program first; else by the number of the program that failed first; what the
    runtime refuses has its word."""
    if found := re.search(r"Error Code: (\w+)\. Error Number: (\d+)\.", logs):
        said = set(re.findall(r"\w+", str(failed.err())))
        assert said & {found[1], found[2]}  # by number what is Anchor's or ours, by name what is the runtime's
        return found[1]
    if found := re.search(r"Program (\w+) failed: custom program error: (0x\w+)", logs):
        return ERRORS[Pubkey.from_string(found[1])][int(found[2], 16)]
    word = re.search(r"Fieldless\((\w+)\)", str(failed.err()))
    return word[1] if word else str(failed.err())
