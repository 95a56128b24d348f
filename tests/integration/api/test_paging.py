"""Paging: a walk meets everything that was there when it began exactly once, whatever arrives meanwhile."""

from typing import Any

import pytest

from api import cursors
from projections.read_models import PageStart
from tests.integration.api.chain_facts import address_of, deposited, initialized, owner_of, transferred
from tests.integration.api.served import Served, until

VAULTS = 23
TRANSACTIONS = f"/v1/vaults/{address_of(1)}/transactions"


def place(transaction: Any) -> tuple[int, int, int, str]:
    return transaction["slot"], transaction["transactionIndex"], transaction["ordinal"], transaction["id"]


async def busy_vault(served: Served) -> int:
    """Vault 1 with several events in a transaction, several transactions in a slot, and transfers; how many legs."""
    facts = [
        deposited(1, slot, index=index, ordinal=ordinal)
        for slot in (100, 101, 105)
        for index in (1, 2)
        for ordinal in (0, 65_536, 65_537)
    ]
    served.append(*facts, transferred(1, 2, 103, 4), transferred(2, 1, 104, 4), deposited(2, 104, index=9))
    await served.project()
    return len(facts) + 2


@pytest.mark.parametrize("limit", [1, 4, 23, 1_000])
async def test_every_vault_is_met_exactly_once_while_others_appear(served: Served, limit: int) -> None:
    there = [address_of(2 * n) for n in range(1, VAULTS + 1)]
    served.append(*(initialized(2 * n, n) for n in range(1, VAULTS + 1)))
    await served.project()

    async def more(page: int) -> None:
        served.append(initialized(1_000 + page, 100 + page), initialized(2 * page + 1, 200 + page))
        await served.project()

    met = [vault["address"] for vault in await served.walk(f"/v1/vaults?limit={limit}", meanwhile=more)]
    assert met == sorted(set(met))
    assert set(there) <= set(met)


@pytest.mark.parametrize("limit", [1, 3, 20, 1_000])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_every_transaction_is_met_exactly_once_both_ways_while_others_arrive(
    served: Served, order: str, limit: int
) -> None:
    count = await busy_vault(served)
    before = {one["id"] for one in (await served.get(f"{TRANSACTIONS}?limit=1000")).body["data"]}
    assert len(before) == count

    async def more(page: int) -> None:
        if page <= 10:
            served.append(deposited(1, 200 + page), deposited(1, 50 - page), deposited(3, 104))
            await served.project()

    walked = await served.walk(f"{TRANSACTIONS}?order={order}&limit={limit}", meanwhile=more)
    met = [one["id"] for one in walked]
    assert len(met) == len(set(met))
    assert before <= set(met)
    assert [place(one) for one in walked] == sorted(map(place, walked), reverse=order == "desc")
    assert {one["vault"] for one in walked} == {address_of(1)}


async def test_a_full_last_page_has_no_cursor(served: Served) -> None:
    served.append(*(initialized(n, n) for n in range(1, 5)))
    await served.project()
    assert (await served.get("/v1/vaults?limit=4")).body["page"] == {"nextCursor": None, "hasMore": False}
    assert (await served.get("/v1/vaults?limit=3")).body["page"]["hasMore"] is True


async def test_the_limit_may_change_from_page_to_page(served: Served) -> None:
    served.append(*(initialized(n, n) for n in range(1, 8)))
    await served.project()
    first = (await served.get("/v1/vaults?limit=2")).body
    rest = (await served.get(f"/v1/vaults?limit=1000&cursor={first['page']['nextCursor']}")).body
    met = [vault["address"] for vault in first["data"] + rest["data"]]
    assert met == sorted(address_of(n) for n in range(1, 8))


async def test_a_walk_stays_in_its_generation_over_a_flip(served: Served) -> None:
    served.append(*(initialized(n, n) for n in range(1, 8)))
    await served.project()
    first = (await served.get("/v1/vaults?limit=2")).body
    assert await served.rebuild("vaults") == 2
    rest = (await served.get(f"/v1/vaults?cursor={first['page']['nextCursor']}")).body
    assert rest["meta"]["generation"] == first["meta"]["generation"] == 1
    assert len(first["data"] + rest["data"]) == 7


async def test_a_walk_whose_generation_was_dropped_is_told_to_begin_again(served: Served) -> None:
    served.append(*(initialized(n, n) for n in range(1, 8)))
    await served.project()
    cursor = (await served.get("/v1/vaults?limit=2")).body["page"]["nextCursor"]
    await served.drop_generations_but("vaults", await served.rebuild("vaults"))

    async def gone() -> bool:
        return (await served.get(f"/v1/vaults?cursor={cursor}")).status != 200

    await until(gone)
    reply = await served.get(f"/v1/vaults?cursor={cursor}")
    assert (reply.status, reply.body["code"]) == (410, "generation_gone")
    assert "begin again" in reply.body["detail"]
    assert (await served.get("/v1/vaults")).body["meta"]["generation"] == 2


async def test_a_cursor_is_good_for_its_own_walk_only(served: Served) -> None:
    await busy_vault(served)
    vaults = (await served.get("/v1/vaults?limit=1")).body["page"]["nextCursor"]
    falling = (await served.get(f"{TRANSACTIONS}?limit=1&order=desc")).body["page"]["nextCursor"]
    for path in (
        f"{TRANSACTIONS}?cursor={vaults}",
        f"{TRANSACTIONS}?order=asc&cursor={falling}",
        f"/v1/vaults/{address_of(2)}/transactions?cursor={falling}",
        f"/v1/vaults?cursor={falling}",
    ):
        reply = await served.get(path)
        assert (reply.status, reply.body["code"]) == (400, "bad_parameter"), path
        assert [error["parameter"] for error in reply.body["errors"]] == ["cursor"]


@pytest.mark.parametrize(
    "cursor",
    ["", "%20", "x", "AAAA", "null", "%00", "%FF", "%D9%A5", "../..", "' OR 1=1 --".replace(" ", "%20"), "A" * 3_000],
)
async def test_garbage_is_no_cursor(served: Served, cursor: str) -> None:
    await served.project()
    for path in ("/v1/vaults", TRANSACTIONS):
        reply = await served.get(f"{path}?cursor={cursor}")
        assert (reply.status, reply.body["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -1, -(2**63)])
async def test_a_forged_cursor_with_numbers_that_no_store_can_hold_is_refused(served: Served, number: int) -> None:
    await busy_vault(served)
    walk = f"transactions:{address_of(1)}:asc"
    for start in (PageStart(1, (number, 0, 0, "")), PageStart(number, (0, 0, 0, ""))):
        cursor = cursors.to_text(walk, start)
        assert (await served.get(f"{TRANSACTIONS}?order=asc&cursor={cursor}")).status == 400


@pytest.mark.parametrize("key", ["", "\0", "'; DROP TABLE documents; --", "\U0010ffff" * 50])
async def test_a_forged_cursor_with_any_text_reads_a_page_and_no_more(served: Served, key: str) -> None:
    await busy_vault(served)
    cursor = cursors.to_text("vaults", PageStart(1, (key,)))
    assert (await served.get(f"/v1/vaults?cursor={cursor}")).status == 200
    assert (await served.get(f"/v1/owners/{owner_of(1)}/vault")).status == 200


async def test_a_forged_cursor_into_a_generation_that_never_was_is_gone(served: Served) -> None:
    await busy_vault(served)
    cursor = cursors.to_text("vaults", PageStart(77, ("",)))
    assert (await served.get(f"/v1/vaults?cursor={cursor}")).status == 410
