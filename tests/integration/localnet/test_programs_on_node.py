"""Every instruction of both programs, once, on the real node."""

from collections.abc import AsyncIterator

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from localnet import accounts, instructions, programs
from localnet.client import Client
from localnet.errors import TransactionRefused
from localnet.market import Market, User, found_market
from localnet.node import LocalNode


@pytest.fixture(scope="module")
def mint() -> Keypair:
    return Keypair()


@pytest.fixture
async def market(node: LocalNode, rpc: Client, mint: Keypair) -> AsyncIterator[Market]:
    """Set up by the first test that wants it."""
    if await rpc.account(accounts.authority_address()) is None:
        for program in (programs.vault_manager(), programs.position_manager()):
            node.cheatcodes.deploy(program, node.payer.pubkey())
        yield await found_market(rpc, node.payer, mint)
    else:
        yield Market(client=rpc, admin=node.payer, mint=mint.pubkey())


@pytest.fixture
async def alice(market: Market) -> User:
    user = await market.new_user(1_000)
    await market.new_vault(user)
    return user


@pytest.fixture
async def bob(market: Market) -> User:
    user = await market.new_user(1_000)
    await market.new_vault(user)
    return user


async def vault_of(market: Market, user: User) -> accounts.CollateralVault:
    data = await market.client.account(accounts.vault_address(user.owner))
    assert data is not None
    return accounts.decode_vault(data)


async def balances(market: Market, user: User) -> tuple[int, int, int]:
    """Total, locked, available; having checked that the vault's token account holds the total."""
    vault = await vault_of(market, user)
    assert await tokens(market, vault.token_account) == vault.total_balance
    return vault.total_balance, vault.locked_balance, vault.available_balance


async def tokens(market: Market, address: Pubkey) -> int:
    data = await market.client.account(address)
    assert data is not None
    return accounts.decode_token_amount(data)


async def run(market: Market, instruction: Instruction, *signers: Keypair) -> None:
    confirmed = await market.client.send([instruction], [market.admin, *signers])
    assert confirmed.error is None


async def test_the_authority_names_admin_mint_and_the_authorised_program(market: Market) -> None:
    data = await market.client.account(accounts.authority_address())
    assert data is not None

    caller = accounts.AuthorizedProgram(programs.position_manager().address, accounts.caller_address())
    assert accounts.decode_authority(data) == (market.admin.pubkey(), None, market.mint, [caller])


async def test_a_new_vault_is_empty_and_its_owners(market: Market, alice: User) -> None:
    vault = await vault_of(market, alice)

    assert vault[:7] == (alice.owner, accounts.vault_tokens_address(alice.owner, market.mint), 0, 0, 0, 0, 0)
    assert vault.created_at == vault.last_updated > 1_700_000_000


async def test_deposit_and_withdraw_move_tokens_both_ways(market: Market, alice: User) -> None:
    await run(market, instructions.deposit(alice.owner, market.mint, alice.tokens, 700), alice.keypair)
    await run(market, instructions.withdraw(alice.owner, market.mint, alice.tokens, 200), alice.keypair)

    assert await balances(market, alice) == (500, 0, 500)
    assert await tokens(market, alice.tokens) == 500
    vault = await vault_of(market, alice)
    assert (vault.total_deposited, vault.total_withdrawn) == (700, 200)


async def test_a_position_locks_pays_and_unlocks(market: Market, alice: User, bob: User) -> None:
    mint, owner = market.mint, alice.owner
    await run(market, instructions.deposit(owner, mint, alice.tokens, 600), alice.keypair)

    await run(market, instructions.open_position(owner, mint, 9, 400), alice.keypair)
    assert await balances(market, alice) == (600, 400, 200)

    serial = await market.serial(owner, 9)
    await run(market, instructions.settle_position(market.admin.pubkey(), owner, mint, 9, serial, 150, bob.owner))
    assert await balances(market, alice) == (450, 250, 200)
    assert await balances(market, bob) == (150, 0, 150)
    position = await market.client.account(accounts.position_address(owner, 9))
    assert position is not None
    assert accounts.decode_position(position)[:3] == (owner, 9, 250)

    await run(market, instructions.close_position(owner, mint, 9), alice.keypair)
    assert await balances(market, alice) == (450, 0, 450)
    assert await market.client.account(accounts.position_address(owner, 9)) is None


@pytest.mark.parametrize("instruction", ["lock_collateral", "unlock_collateral", "transfer_collateral"])
async def test_nobody_locks_unlocks_or_transfers_without_an_authorised_program(
    market: Market, alice: User, bob: User, instruction: str
) -> None:
    """The right to is proven by the position: here the instructions themselves, sent by a stranger."""
    stranger, mint = Keypair(), market.mint
    built = {
        "lock_collateral": instructions.lock_collateral(stranger.pubkey(), alice.owner, mint, 1),
        "unlock_collateral": instructions.unlock_collateral(stranger.pubkey(), alice.owner, mint, 1),
        "transfer_collateral": instructions.transfer_collateral(stranger.pubkey(), alice.owner, bob.owner, mint, 1),
    }[instruction]

    with pytest.raises(TransactionRefused, match="UnauthorizedCaller"):
        await run(market, built, stranger)


async def test_a_transaction_that_may_fail_fails_on_the_chain(market: Market, alice: User) -> None:
    overdraw = instructions.withdraw(alice.owner, market.mint, alice.tokens, 1)

    confirmed = await market.client.send([overdraw], [market.admin, alice.keypair], may_fail=True)

    assert confirmed.error == {"InstructionError": [0, {"Custom": 6002}]}
    assert await balances(market, alice) == (0, 0, 0)


async def test_programs_come_and_go_and_the_admin_hands_over_in_two_steps(market: Market) -> None:
    """And back, for the other tests."""
    admin, other, program = market.admin.pubkey(), Keypair(), Pubkey.new_unique()

    await run(market, instructions.add_authorized_program(admin, program))
    await run(market, instructions.remove_authorized_program(admin, program))
    await run(market, instructions.propose_admin(admin, other.pubkey()))
    await run(market, instructions.accept_admin(other.pubkey()), other)
    with pytest.raises(TransactionRefused, match="NotAdmin"):
        await run(market, instructions.add_authorized_program(admin, program))
    await run(market, instructions.propose_admin(other.pubkey(), admin), other)
    await run(market, instructions.accept_admin(admin))

    data = await market.client.account(accounts.authority_address())
    assert data is not None
    assert accounts.decode_authority(data).admin == admin
