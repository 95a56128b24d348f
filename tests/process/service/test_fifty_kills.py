"""Whatever is killed, whenever: afterwards the store has exactly the chain's events, and the read models follow."""

import asyncio
import random
import time
from functools import partial
from typing import Any

from localnet import accounts, client
from localnet.node import LocalNode
from localnet.traffic import Traffic
from tests.process.compared import compare

KILLS = 50
SEED = 20261123
RATE = 10.0
"""Transactions a second while things are killed."""


async def test_fifty_kills_lose_nothing_and_double_nothing(
    traffic: tuple[LocalNode, Traffic], processes: Any, wait_until: Any, say: Any
) -> None:
    node, market = traffic
    chance = random.Random(SEED)
    done = asyncio.Event()
    trading = asyncio.create_task(market.run(RATE, done))
    recoveries_s = []
    for _ in range(KILLS):
        before, more = await _progress(processes), chance.randrange(12)
        await wait_until(partial(_has_moved, processes, before, more), f"{more} more facts after {before}")
        name = chance.choice(["indexer", "projector", "api"])
        await processes.kill(name)
        killed_s = time.monotonic()
        await processes.start(name)
        if name == "indexer":
            position = processes.stored_position()
            await wait_until(partial(_is_stored, processes, position), "a new fact after the indexer was killed")
            recoveries_s.append(time.monotonic() - killed_s)
    done.set()
    await trading

    async with client.connect(node.rpc_url) as rpc:
        last_slot = await rpc.slot()
        await wait_until(partial(_is_covered, processes, last_slot), f"coverage of slot {last_slot} over HTTP")
        found = await compare(processes.environment["VAULT_EVENT_STORE_URL"], rpc)
        await _compare_balances(market, processes, rpc)
    say(
        f"{KILLS} kills (seed {SEED}), {found}; "
        f"indexer back with a new fact after at most {max(recoveries_s, default=0):.1f} s"
    )
    assert found.is_exact
    assert (found.events, found.failed) == (sum(market.events.values()), market.failed)

    live = processes.json("vault-projector", "digest")
    rebuilt = processes.json("vault-projector", "rebuild")
    assert rebuilt["digests"] == {name: found["digest"] for name, found in live.items()}


async def _progress(processes: Any) -> int:
    answer = await processes.get("/v1/vaults")
    return int(processes.stored_position() + (answer["meta"]["position"] if answer else 0))


async def _has_moved(processes: Any, before: int, more: int) -> bool:
    return more == 0 or await _progress(processes) >= before + more


async def _is_stored(processes: Any, position: int) -> bool:
    return bool(processes.stored_position() > position)


async def _is_covered(processes: Any, slot: int) -> bool:
    metas = [await processes.get("/ready")]
    covered = [m["completeThroughSlot"] for answer in metas if answer for m in answer["projections"].values()]
    return bool(covered) and all(through is not None and through >= slot for through in covered)


async def _compare_balances(market: Traffic, processes: Any, rpc: client.Client) -> None:
    """What HTTP says of each user's vault is what the account on the chain holds."""
    for user in market.users:
        address = accounts.vault_address(user.owner)
        data = await rpc.account(address)
        assert data is not None
        held = accounts.decode_vault(data)
        vault = (await processes.get(f"/v1/vaults/{address}"))["data"]
        projected = [vault[f"{kind}Balance"] for kind in ("total", "locked", "available")]
        assert projected == [str(held.total_balance), str(held.locked_balance), str(held.available_balance)]
        totals = [vault["depositedTotal"], vault["withdrawnTotal"]]
        assert totals == [str(held.total_deposited), str(held.total_withdrawn)]
        assert not vault["provisional"]
