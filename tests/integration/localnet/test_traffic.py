"""The demo's traffic on the real node, and that the chain agrees with what the traffic believes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from localnet import accounts, programs
from localnet.node import LocalNode
from localnet.traffic import Traffic


@pytest.fixture
async def traffic() -> AsyncIterator[Traffic]:
    async with LocalNode() as node, Traffic(node, seed=11, users=4) as running:
        yield running


async def check_that_the_chain_agrees(traffic: Traffic) -> None:
    rpc, mint = traffic.market.client, traffic.market.mint
    for trader, user in zip(traffic.traders, traffic.users, strict=True):
        data = await rpc.account(accounts.vault_address(user.owner))
        assert data is not None
        vault = accounts.decode_vault(data)
        assert (vault.available_balance, vault.locked_balance) == (trader.available, trader.locked)
        assert (vault.total_deposited, vault.total_withdrawn) == (trader.deposited, trader.withdrawn)
        inside = await rpc.account(accounts.vault_tokens_address(user.owner, mint))
        outside = await rpc.account(user.tokens)
        assert inside is not None
        assert outside is not None
        assert accounts.decode_token_amount(inside) == vault.total_balance == trader.total
        assert accounts.decode_token_amount(outside) == trader.wallet
        for number, margin in trader.positions.items():
            position = await rpc.account(accounts.position_address(user.owner, number))
            assert position is not None
            assert accounts.decode_position(position)[:3] == (user.owner, number, margin)


async def test_a_hundred_and_twenty_steps_leave_every_account_exactly_as_planned(traffic: Traffic) -> None:
    signatures = {(await traffic.step()).confirmed.signature for _ in range(120)}

    assert len(signatures) == 120
    assert traffic.transactions == 120 + 1 + 4  # the authority's, and the vaults'
    assert traffic.failed > 0
    await check_that_the_chain_agrees(traffic)


async def test_the_node_lists_exactly_the_transactions_that_were_counted(traffic: Traffic) -> None:
    for _ in range(40):
        await traffic.step()

    program = str(programs.vault_manager().address)
    listed = await traffic.market.client.call("getSignaturesForAddress", program, {"commitment": "confirmed"})
    assert len(listed) == traffic.transactions
    assert sum(entry["err"] is not None for entry in listed) == traffic.failed


async def test_traffic_at_a_rate_stops_when_told_with_nothing_in_flight(traffic: Traffic) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(traffic.run(50, stopping))
    async with asyncio.timeout(60):
        while traffic.transactions < 60:  # noqa: ASYNC110 a counter has no event
            await asyncio.sleep(0.01)

    stopping.set()
    await running

    await check_that_the_chain_agrees(traffic)


async def test_the_same_seed_gives_the_same_addresses_and_operations(traffic: Traffic) -> None:
    first = [(await traffic.step()).operation for _ in range(10)]

    async with LocalNode() as node, Traffic(node, seed=11, users=4) as again:
        assert [user.owner for user in again.users] == [user.owner for user in traffic.users]
        assert [(await again.step()).operation for _ in range(10)] == first
