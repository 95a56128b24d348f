"""Somebody fills the logs before calling the program, on a real node: the running indexer misses nothing of it."""

from collections.abc import AsyncIterator

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from eventstore.facts import Deposited, Withdrawn
from localnet import client, instructions, programs
from localnet.client import Client, Confirmed
from localnet.market import Market, User, open_market
from localnet.node import LocalNode
from tests.process.indexer.conftest import MakeIndexer

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
NOISE = [Instruction(MEMO, b"", [])] * 45
"""The runtime writes some 250 bytes for each call, however little it does, and keeps the first 10,000 of all."""


@pytest.fixture
async def node() -> AsyncIterator[LocalNode]:
    async with LocalNode() as node:
        yield node


@pytest.fixture
async def rpc(node: LocalNode) -> AsyncIterator[Client]:
    async with client.connect(node.rpc_url) as connected:
        yield connected


async def after_noise(market: Market, user: User, call: Instruction) -> Confirmed:
    """Having checked that of the call itself the node's logs tell nothing."""
    sent = await market.client.send([*NOISE, call], [market.admin, user.keypair])
    options = {"encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    transaction = await market.client.call("getTransaction", sent.signature, options)
    logs = transaction["meta"]["logMessages"]
    assert sent.error is None
    assert "Log truncated" in logs
    assert not any(str(programs.vault_manager().address) in line for line in logs)
    return sent


async def test_a_deposit_and_a_withdrawal_behind_full_logs_are_stored(
    node: LocalNode, rpc: Client, make_indexer: MakeIndexer
) -> None:
    market = await open_market(node, rpc)
    alice = await market.new_user(1_000)
    indexer = make_indexer("indexer", node.rpc_url)
    running = await indexer.start()
    await market.new_vault(alice)
    deposit = instructions.deposit(alice.owner, market.mint, alice.tokens, 700)
    withdrawal = instructions.withdraw(alice.owner, market.mint, alice.tokens, 200)
    sent = [await after_noise(market, alice, call) for call in (deposit, withdrawal)]
    last_slot = sent[-1].slot
    await running.until(lambda: indexer.covers(last_slot), f"coverage of slot {last_slot}")
    await running.stop()

    facts = [stored.fact for stored in indexer.facts()]
    [deposited] = [fact for fact in facts if isinstance(fact, Deposited)]
    [withdrawn] = [fact for fact in facts if isinstance(fact, Withdrawn)]
    assert [deposited.signature, withdrawn.signature] == [confirmed.signature for confirmed in sent]
    assert (deposited.amount, withdrawn.amount, withdrawn.total_balance) == (700, 200, 500)
