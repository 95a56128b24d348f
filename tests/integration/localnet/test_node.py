"""The local node as a process, and what only it can do."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from solders.keypair import Keypair

from localnet import accounts, programs
from localnet.client import Client
from localnet.errors import NodeFailed, NodeUnreachable, RpcError, TransactionRefused
from localnet.node import LocalNode

DEPLOY = Path(accounts.__file__).parents[1]


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"process {pid} is still there"


async def test_a_deployed_program_has_its_upgrade_authority_and_its_code(node: LocalNode, rpc: Client) -> None:
    program, authority = programs.vault_manager(), Keypair().pubkey()

    node.cheatcodes.deploy(program, authority)

    data = await rpc.account(accounts.program_data_address(program.address))
    assert data is not None
    assert data[12:45] == b"\1" + bytes(authority)  # an option, after u32 state and u64 slot
    assert data[45:] == program.code


async def test_tokens_and_lamports_come_from_nowhere(node: LocalNode, rpc: Client) -> None:
    mint, owner = Keypair().pubkey(), Keypair().pubkey()

    node.cheatcodes.set_mint(mint, node.payer.pubkey())
    tokens = node.cheatcodes.set_tokens(owner, mint, 2**64 - 1)
    node.cheatcodes.fund(owner, 5)

    data = await rpc.account(tokens)
    assert data is not None
    assert accounts.decode_token_amount(data) == 2**64 - 1
    assert (await rpc.call("getBalance", str(owner)))["value"] == 5


async def test_an_error_names_the_call_and_the_nodes_reason(rpc: Client) -> None:
    with pytest.raises(RpcError, match="noSuchMethod: the node answered error -32601"):
        await rpc.call("noSuchMethod")


async def test_a_refused_transaction_is_not_sent(rpc: Client) -> None:
    with pytest.raises(TransactionRefused):
        await rpc.send([], [Keypair()])


def test_two_nodes_are_two_chains_on_ports_of_their_own(node: LocalNode) -> None:
    with LocalNode() as other:
        assert other.rpc_url != node.rpc_url
        assert all(url.startswith("http://127.0.0.1:") for url in (node.rpc_url, other.rpc_url))
        assert node.cheatcodes.call("getBalance", str(other.payer.pubkey()))["value"] == 0


def test_a_node_that_makes_blocks_by_the_clock_makes_them_without_transactions() -> None:
    with LocalNode(block_production="clock", slot_ms=20) as clocked:
        deadline = time.monotonic() + 20
        while clocked.cheatcodes.call("getSlot", {"commitment": "confirmed"}) < 40:
            assert time.monotonic() < deadline


def test_a_stopped_node_is_gone_and_says_so() -> None:
    with LocalNode() as running:
        pid = running.pid

    wait_until_gone(pid)
    with pytest.raises(NodeUnreachable, match=r"getHealth: no answer from the node at http://127\.0\.0\.1:"):
        running.cheatcodes.call("getHealth")


def test_a_node_does_not_outlive_a_parent_that_is_killed() -> None:
    script = (
        "import json, sys, time; from localnet.node import LocalNode; node = LocalNode(); node.start();"
        " print(json.dumps(node.pid), flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(DEPLOY)}, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = json.loads(parent.stdout.readline())

    os.kill(parent.pid, signal.SIGKILL)

    parent.wait(10)
    parent.stdout.close()
    wait_until_gone(pid)


def test_a_node_that_cannot_start_repeats_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    launcher = tmp_path / "node.mjs"
    launcher.write_text("const nothing = undefined;\nnothing();", encoding="utf-8")
    monkeypatch.setattr("localnet.node.LAUNCHER", launcher)

    with pytest.raises(NodeFailed, match="did not start: TypeError: nothing is not a function"):
        LocalNode().start()


def test_the_payers_key_is_neither_an_argument_nor_in_the_environment_of_the_node(node: LocalNode) -> None:
    secret = bytes(node.payer)
    seen = Path(f"/proc/{node.pid}/cmdline").read_bytes() + Path(f"/proc/{node.pid}/environ").read_bytes()

    assert str(node.payer).encode() not in seen
    assert json.dumps(list(secret)).encode() not in seen
