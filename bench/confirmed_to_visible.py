"""How long from a transaction's confirmation until its balances are visible over HTTP: the whole service, a local node.

    PYTHONPATH=deploy python bench/confirmed_to_visible.py [TRANSACTIONS]

Deposits and withdrawals, one at a time; the clock starts when the sender's client has seen the confirmation.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from localnet import accounts
from localnet.node import LocalNode
from localnet.operations import Deposit, Withdraw
from localnet.service import Service
from localnet.traffic import Traffic

BIN = Path(sys.executable).parent
PORT = 18_080
POLL_S = 0.002
DEADLINE_S = 30


async def main(transactions: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with LocalNode() as node, Traffic(node) as traffic:
            services = await _start(node, Path(folder))
            try:
                await _measure(traffic, transactions)
            finally:
                for service in reversed(services):
                    await service.stop()


async def _start(node: LocalNode, folder: Path) -> list[Service]:
    environment = {
        **os.environ,
        "VAULT_EVENT_STORE_URL": f"sqlite:///{folder}/events.db",
        "VAULT_READ_MODELS_URL": f"sqlite:///{folder}/read-models",
        "VAULT_RPC_URLS": node.rpc_url,
        "VAULT_WS_URL": node.ws_url,
        "VAULT_API_PORT": str(PORT),
    }
    services = []
    for command in (["vault-indexer", "run"], ["vault-projector", "run"], ["vault-api"]):
        service = Service([str(BIN / command[0]), *command[1:]], environment, folder / f"{command[0]}.log")
        await service.start()
        services.append(service)
    return services


async def _measure(traffic: Traffic, transactions: int) -> None:
    taken_ms: list[float] = []
    async with aiohttp.ClientSession() as session:
        await _visible(session, "/v1/vaults?limit=1", "")
        while len(taken_ms) < transactions:
            sent = await traffic.step()
            confirmed_s = time.perf_counter()
            if not isinstance(sent.operation, Deposit | Withdraw):
                continue
            vault = accounts.vault_address(traffic.users[sent.operation.user].owner)
            await _visible(session, f"/v1/vaults/{vault}/transactions?limit=5", sent.confirmed.signature)
            taken_ms.append((time.perf_counter() - confirmed_s) * 1_000)
    taken_ms.sort()
    p99 = taken_ms[int(len(taken_ms) * 0.99)]
    print(
        f"confirmed to visible over HTTP, {len(taken_ms)} transactions: "
        f"median {statistics.median(taken_ms):.0f} ms, p99 {p99:.0f} ms, worst {taken_ms[-1]:.0f} ms"
    )


async def _visible(session: aiohttp.ClientSession, path: str, text: str) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{PORT}{path}") as response:
                    if response.status == 200 and text in await response.text():
                        return
            except aiohttp.ClientError:
                pass  # it is starting
            await asyncio.sleep(POLL_S)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
