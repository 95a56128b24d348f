"""A vault whose owner is an address of another program: a wallet that several people sign for."""

import struct
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.token.associated import get_associated_token_address

from tests.program.anchor_idl import AnchorIdl
from tests.program.chain import ASSOCIATED_TOKEN, SOL, SYSTEM, TOKEN, Refused, Sent, pda, refused
from tests.program.vault_svm import VaultSvm

MULTISIG = Pubkey.from_string("Mu1tis1gForTestsA11111111111111111111111111")
PROGRAM = Path(__file__).with_name("multisig") / "multisig.so"
CREATE_ASSOCIATED = bytes([0])
VAULT_BYTES = 8 + 32 + 32 + 7 * 8 + 1 + 64
"""Of a `CollateralVault`, with its discriminator."""


class Wallet:
    """Two of its three members must sign. Its own address, which holds lamports and no data, owns the vault, or the
    account that lists the members does."""

    def __init__(self, svm: VaultSvm, members: Sequence[Pubkey], *, owner_has_data: bool = False) -> None:
        self.svm = svm
        self.listed = members
        self.creator = svm.new_keypair()
        self.members = pda(MULTISIG, b"members", bytes(self.creator.pubkey()))
        self.address = pda(MULTISIG, b"wallet", bytes(self.members))
        self.owner = self.members if owner_has_data else self.address
        self.vault = pda(svm.vaults.program, b"vault", bytes(self.owner))
        self.vault_tokens = get_associated_token_address(self.vault, svm.mint)
        self.tokens = svm.set_tokens(svm.new_address(), svm.mint, self.owner, 1_000)
        svm.svm.airdrop(self.address, SOL)
        self._create(members)

    def call(self, idl: AnchorIdl, name: str, *arguments: int, **changed: Pubkey) -> Instruction:
        """An instruction of one of our programs with the wallet as owner."""
        own = {"owner": self.owner, "vault": self.vault, "token_account": self.vault_tokens}
        own["owner_token_account"] = self.tokens
        return idl.instruction(name, self.svm.everywhere() | own | changed, *arguments)

    def execute(self, call: Instruction, approving: Sequence[Pubkey]) -> Instruction:
        """The wallet makes the call if enough members sign; for those that are wallets, their program signs."""
        metas = [AccountMeta(key, False, False) for key in (self.members, self.address, call.program_id)]
        metas += [AccountMeta(key, key.is_on_curve(), False) for key in approving]
        metas += [AccountMeta(m.pubkey, m.is_signer and m.pubkey.is_on_curve(), m.is_writable) for m in call.accounts]
        data = struct.pack("<BI", len(approving), len(call.data)) + call.data
        return Instruction(MULTISIG, _discriminator("execute") + data, metas)

    def balances(self) -> tuple[int, int, int]:
        """Total, locked and available."""
        vault = self.svm.vaults.account("CollateralVault", self.svm.account(self.vault).data)
        return vault["total_balance"], vault["locked_balance"], vault["available_balance"]

    def _create(self, members: Sequence[Pubkey]) -> None:
        data = struct.pack("<I", len(members)) + b"".join(map(bytes, members)) + bytes([2])
        own = [AccountMeta(self.creator.pubkey(), True, True), AccountMeta(self.members, False, True)]
        metas = [*own, AccountMeta(SYSTEM, False, False)]
        self.svm.send(Instruction(MULTISIG, _discriminator("create") + data, metas), [self.creator])


def _discriminator(name: str) -> bytes:
    return sha256(f"global:{name}".encode()).digest()[:8]


@pytest.fixture
def people(svm: VaultSvm) -> list[Keypair]:
    """Three members."""
    svm.svm.add_program_from_file(MULTISIG, PROGRAM)
    return [svm.new_keypair() for _ in range(3)]


@pytest.fixture
def wallet(svm: VaultSvm, people: list[Keypair]) -> Wallet:
    """Without a vault."""
    return Wallet(svm, [person.pubkey() for person in people])


def agree(wallet: Wallet, call: Instruction, people: Sequence[Keypair]) -> Sent:
    """Those people sign, and the wallet makes the call."""
    return wallet.svm.send(wallet.execute(call, [person.pubkey() for person in people]), people)


def create_token_account(wallet: Wallet) -> Instruction:
    """That of the vault, created by somebody else before there is a vault."""
    payer = wallet.creator.pubkey()
    rest = [wallet.vault, wallet.svm.mint, SYSTEM, TOKEN]
    metas = [AccountMeta(payer, True, True), AccountMeta(wallet.vault_tokens, False, True)]
    return Instruction(ASSOCIATED_TOKEN, CREATE_ASSOCIATED, metas + [AccountMeta(key, False, False) for key in rest])


def test_a_wallet_initialises_deposits_and_withdraws(svm: VaultSvm, wallet: Wallet, people: list[Keypair]) -> None:
    calls = [
        wallet.call(svm.vaults, "initialize_vault"),
        wallet.call(svm.vaults, "deposit", 700),
        wallet.call(svm.vaults, "withdraw", 200),
    ]
    events = [event for call in calls for event in svm.events_of(agree(wallet, call, people[:2]))]

    assert [name for name, _ in events] == ["VaultInitialized", "Deposited", "Withdrawn"]
    assert {event["owner"] for _, event in events} == {wallet.address}
    assert wallet.balances() == (500, 0, 500)
    assert (svm.tokens(wallet.vault_tokens), svm.tokens(wallet.tokens)) == (500, 500)


def test_the_wallet_itself_pays_for_its_vault(svm: VaultSvm, wallet: Wallet, people: list[Keypair]) -> None:
    agree(wallet, wallet.call(svm.vaults, "initialize_vault"), people[1:])
    rent = svm.account(wallet.vault).lamports + svm.account(wallet.vault_tokens).lamports
    assert svm.account(wallet.address).lamports == SOL - rent


def test_a_wallet_opens_and_closes_positions(svm: VaultSvm, wallet: Wallet, people: list[Keypair]) -> None:
    position = pda(svm.positions.program, b"position", bytes(wallet.owner), (7).to_bytes(8, "little"))
    agree(wallet, wallet.call(svm.vaults, "initialize_vault"), people[:2])
    agree(wallet, wallet.call(svm.vaults, "deposit", 700), people[:2])
    agree(wallet, wallet.call(svm.positions, "open_position", 7, 400, position=position), people[:2])
    assert wallet.balances() == (700, 400, 300)
    agree(wallet, wallet.call(svm.positions, "close_position", 7, position=position), people[:2])
    assert wallet.balances() == (700, 0, 700)


def test_fewer_members_than_are_needed_do_nothing(svm: VaultSvm, wallet: Wallet, people: list[Keypair]) -> None:
    stranger = svm.new_keypair()
    for approving in ([], people[:1], [people[0], people[0]], [people[0], stranger]):
        with refused("TooFewApprovals"):
            agree(wallet, wallet.call(svm.vaults, "initialize_vault"), approving)
    agree(wallet, wallet.call(svm.vaults, "initialize_vault"), people[:2])
    agree(wallet, wallet.call(svm.vaults, "deposit", 700), people[:2])
    for name in ("deposit", "withdraw"):
        with refused("TooFewApprovals"):
            agree(wallet, wallet.call(svm.vaults, name, 1), people[2:])


def test_a_member_who_is_named_without_signing_does_not_count(
    svm: VaultSvm, wallet: Wallet, people: list[Keypair]
) -> None:
    execute = wallet.execute(wallet.call(svm.vaults, "initialize_vault"), [person.pubkey() for person in people[:2]])
    metas = [
        AccountMeta(m.pubkey, m.is_signer and m.pubkey != people[1].pubkey(), m.is_writable) for m in execute.accounts
    ]
    with refused("TooFewApprovals"):
        svm.send(Instruction(MULTISIG, execute.data, metas), people[:1])


def test_no_member_is_the_owner(svm: VaultSvm, wallet: Wallet, people: list[Keypair]) -> None:
    agree(wallet, wallet.call(svm.vaults, "initialize_vault"), people[:2])
    agree(wallet, wallet.call(svm.vaults, "deposit", 700), people[:2])
    with refused("WrongOwner"):
        svm.send(wallet.call(svm.vaults, "withdraw", 1, owner=people[0].pubkey()), people[:1])


def test_members_who_agree_still_withdraw_to_the_wallets_tokens_only(
    svm: VaultSvm, wallet: Wallet, people: list[Keypair]
) -> None:
    agree(wallet, wallet.call(svm.vaults, "initialize_vault"), people[:2])
    agree(wallet, wallet.call(svm.vaults, "deposit", 700), people[:2])
    own = svm.set_tokens(svm.new_address(), svm.mint, people[0].pubkey(), 0)
    with refused("WrongTokenOwner"):
        agree(wallet, wallet.call(svm.vaults, "withdraw", 1, owner_token_account=own), people[:2])


def test_an_owner_that_holds_data_cannot_pay_for_its_vault(svm: VaultSvm, people: list[Keypair]) -> None:
    """The system program takes lamports of its own accounts only."""
    wallet = Wallet(svm, [person.pubkey() for person in people], owner_has_data=True)
    svm.svm.airdrop(wallet.owner, SOL)
    with pytest.raises(Refused, match="`from` must not carry data"):
        agree(wallet, wallet.call(svm.vaults, "initialize_vault"), people[:2])


def test_an_owner_that_holds_data_has_a_vault_if_somebody_else_has_paid(svm: VaultSvm, people: list[Keypair]) -> None:
    wallet = Wallet(svm, [person.pubkey() for person in people], owner_has_data=True)
    payer = wallet.creator
    rent = svm.svm.minimum_balance_for_rent_exemption(VAULT_BYTES)
    paid = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=wallet.vault, lamports=rent))
    svm.send_all([paid, create_token_account(wallet)], [payer])

    for name, *amount in (("initialize_vault",), ("deposit", 700), ("withdraw", 200)):
        agree(wallet, wallet.call(svm.vaults, name, *amount), people[:2])
    assert wallet.balances() == (500, 0, 500)
    assert svm.account(wallet.vault).lamports == rent


def test_an_owner_that_holds_data_opens_a_position_if_somebody_else_has_paid(
    svm: VaultSvm, people: list[Keypair]
) -> None:
    wallet = Wallet(svm, [person.pubkey() for person in people], owner_has_data=True)
    position = pda(svm.positions.program, b"position", bytes(wallet.owner), (7).to_bytes(8, "little"))
    for address in (wallet.vault, position):
        svm.svm.airdrop(address, SOL)
    svm.send(create_token_account(wallet), [wallet.creator])
    agree(wallet, wallet.call(svm.vaults, "initialize_vault"), people[:2])
    agree(wallet, wallet.call(svm.vaults, "deposit", 700), people[:2])

    agree(wallet, wallet.call(svm.positions, "open_position", 7, 400, position=position), people[:2])
    assert wallet.balances() == (700, 400, 300)
    agree(wallet, wallet.call(svm.positions, "close_position", 7, position=position), people[:2])
    assert wallet.balances() == (700, 0, 700)


def test_a_wallet_can_be_a_member_of_the_wallet(svm: VaultSvm, wallet: Wallet, people: list[Keypair]) -> None:
    inner = Wallet(svm, [people[0].pubkey(), wallet.address])
    for name, *amount in (("initialize_vault",), ("deposit", 700), ("withdraw", 200)):
        agree(wallet, inner.execute(inner.call(svm.vaults, name, *amount), inner.listed), people[:2])
    assert inner.balances() == (500, 0, 500)


def test_three_wallets_deep_the_vaults_token_account_must_be_there_before(
    svm: VaultSvm, wallet: Wallet, people: list[Keypair]
) -> None:
    """The runtime nests five programs, and creating the token account takes the vault-manager and two more."""
    middle = Wallet(svm, [people[0].pubkey(), wallet.address])
    inner = Wallet(svm, [people[0].pubkey(), middle.address])

    def deep(name: str, *amount: int) -> Sent:
        call = inner.execute(inner.call(svm.vaults, name, *amount), inner.listed)
        return agree(wallet, middle.execute(call, middle.listed), people[:2])

    with pytest.raises(Refused, match="call depth too deep"):
        deep("initialize_vault")
    svm.send(create_token_account(inner), [inner.creator])
    deep("initialize_vault")
    deep("deposit", 700)
    deep("withdraw", 200)
    assert inner.balances() == (500, 0, 500)
