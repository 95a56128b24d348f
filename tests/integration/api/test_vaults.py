"""Vaults over HTTP: one by its address, one by its owner, all of them; each with how complete the answer is."""

import time

import pytest

from tests.integration.api.chain_facts import U64_MAX, address_of, deposited, initialized, owner_of
from tests.integration.api.served import Served

NOBODY = address_of(999)


async def test_a_vault_has_this_shape(served: Served) -> None:
    served.append(initialized(1, 10))
    served.cover(15)
    last = served.append(deposited(1, 20, U64_MAX, index=3))
    await served.project()
    reply = await served.get(f"/v1/vaults/{address_of(1)}")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    lag_s = reply.body["meta"].pop("lagS")
    assert isinstance(lag_s, float)
    assert 0 <= lag_s < 10
    assert reply.body == {
        "data": {
            "address": address_of(1),
            "owner": owner_of(1),
            "tokenAccount": address_of(2_000_001),
            "mint": address_of(3_000_000),
            "decimals": 6,
            "totalBalance": "18446744073709551615",
            "lockedBalance": "0",
            "availableBalance": "18446744073709551615",
            "depositedTotal": "18446744073709551615",
            "withdrawnTotal": "0",
            "depositCount": 1,
            "withdrawalCount": 0,
            "createdAt": 1_011,
            "updatedAt": 1_021,
            "lastSlot": 20,
            "lastSignature": "signature-20-3",
            "provisional": True,
        },
        "meta": {"slot": 20, "position": last, "generation": 1, "completeThroughSlot": 15},
    }


@pytest.mark.parametrize("amount", [0, 1, 2**53 + 1, 2**63 - 1, 2**63, U64_MAX])
async def test_amounts_are_whole_to_the_last_unit(served: Served, amount: int) -> None:
    served.append(deposited(1, 1, amount))
    await served.project()
    vault = (await served.get(f"/v1/vaults/{address_of(1)}")).body["data"]
    assert vault["totalBalance"] == vault["availableBalance"] == vault["depositedTotal"] == str(amount)
    (transaction,) = (await served.get(f"/v1/vaults/{address_of(1)}/transactions")).body["data"]
    assert transaction["amount"] == transaction["totalBalance"] == str(amount)


async def test_the_sum_of_all_deposits_stops_at_the_largest_u64_as_the_programs_own_does(served: Served) -> None:
    served.append(deposited(1, 1, U64_MAX), deposited(1, 2, U64_MAX))
    await served.project()
    vault = (await served.get(f"/v1/vaults/{address_of(1)}")).body["data"]
    assert (vault["depositedTotal"], vault["depositCount"]) == (str(U64_MAX), 2)


async def test_a_vault_whose_initialisation_is_not_stored_yet_says_what_is_known(served: Served) -> None:
    served.append(deposited(1, 5, 7))
    await served.project()
    vault = (await served.get(f"/v1/vaults/{address_of(1)}")).body["data"]
    assert [vault[name] for name in ("tokenAccount", "mint", "decimals", "createdAt")] == [None] * 4
    assert vault["totalBalance"] == "7"


async def test_a_vault_is_found_by_its_owner_and_is_the_same(served: Served) -> None:
    served.append(initialized(1, 1), initialized(2, 2), deposited(2, 3, 5))
    await served.project()
    by_owner = await served.get(f"/v1/owners/{owner_of(2)}/vault")
    by_address = await served.get(f"/v1/vaults/{address_of(2)}")
    assert by_owner.status == 200
    assert by_owner.body["data"] == by_address.body["data"]
    assert by_owner.body["meta"]["position"] == by_address.body["meta"]["position"]


async def test_a_list_of_vaults_has_each_as_it_is_alone(served: Served) -> None:
    served.append(*(initialized(n, n) for n in (3, 1, 2)))
    await served.project()
    reply = await served.get("/v1/vaults")
    assert [vault["address"] for vault in reply.body["data"]] == sorted(map(address_of, (1, 2, 3)))
    assert reply.body["page"] == {"nextCursor": None, "hasMore": False}
    assert {"slot", "position", "generation", "completeThroughSlot", "lagS"} == set(reply.body["meta"])
    for vault in reply.body["data"]:
        assert vault == (await served.get(f"/v1/vaults/{vault['address']}")).body["data"]


async def test_no_vaults_are_an_empty_list_that_says_how_complete_it_is(served: Served) -> None:
    served.cover(50)
    await served.project()
    reply = await served.get("/v1/vaults")
    assert (reply.status, reply.body["data"]) == (200, [])
    assert (reply.body["meta"]["slot"], reply.body["meta"]["completeThroughSlot"]) == (None, 50)


async def test_before_any_fact_there_is_nothing_and_it_is_said_so(served: Served) -> None:
    await served.project()
    meta = (await served.get("/v1/vaults")).body["meta"]
    assert (meta["slot"], meta["position"], meta["generation"], meta["completeThroughSlot"]) == (None, 0, 1, None)


@pytest.mark.parametrize(
    "path", [f"/v1/vaults/{NOBODY}", f"/v1/owners/{NOBODY}/vault", f"/v1/vaults/{NOBODY}/transactions"]
)
async def test_an_unknown_vault_is_404_with_how_far_we_have_looked(served: Served, path: str) -> None:
    served.append(initialized(1, 10))
    served.cover(12)
    await served.project()
    reply = await served.get(path)
    assert (reply.status, reply.body["code"]) == (404, "vault_not_found")
    assert NOBODY in reply.body["detail"]
    assert reply.body["instance"] == path
    meta = reply.body["meta"]
    assert (meta["slot"], meta["generation"], meta["completeThroughSlot"]) == (10, 1, 12)


async def test_a_vault_is_provisional_until_coverage_has_passed_its_last_event(served: Served) -> None:
    served.append(deposited(1, 10))
    await served.project()
    path = f"/v1/vaults/{address_of(1)}"
    assert (await served.get(path)).body["data"]["provisional"] is True
    for slot, provisional in ((9, True), (10, False), (11, False)):
        served.cover(slot)
        await served.project()
        reply = await served.get(path)
        assert reply.body["meta"]["completeThroughSlot"] == slot
        assert reply.body["data"]["provisional"] is provisional


async def test_an_answer_never_goes_back_over_a_rebuild(served: Served) -> None:
    served.append(initialized(1, 1), deposited(1, 2, 3))
    await served.project()
    before = await served.get(f"/v1/vaults/{address_of(1)}")
    assert await served.rebuild("vaults") == 2
    end_s = time.monotonic() + 10
    while (after := await served.get(f"/v1/vaults/{address_of(1)}")).body["meta"]["generation"] != 2:
        assert time.monotonic() < end_s, "the flip was not noticed"
    assert after.body["data"] == before.body["data"]
    assert after.body["meta"]["position"] >= before.body["meta"]["position"]
