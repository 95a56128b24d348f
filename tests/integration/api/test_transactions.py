"""A vault's transactions: every leg of every event that touched it, in chain order."""

from tests.integration.api.chain_facts import address_of, deposited, initialized, owner_of, transferred
from tests.integration.api.served import Served


async def test_a_transaction_has_this_shape(served: Served) -> None:
    served.append(initialized(1, 1))
    last = served.append(transferred(1, 2, 30, 2**64 - 1, ordinal=65_536))
    await served.project()
    (transaction,) = (await served.get(f"/v1/vaults/{address_of(1)}/transactions?limit=1")).body["data"]
    identity = transaction.pop("id")
    assert identity.endswith(f":65536:{address_of(1)}")
    assert transaction == {
        "vault": address_of(1),
        "owner": owner_of(1),
        "counterparty": address_of(2),
        "type": "transferOut",
        "amount": "18446744073709551615",
        "totalBalance": "0",
        "lockedBalance": "0",
        "availableBalance": "0",
        "signature": "signature-30-0",
        "slot": 30,
        "transactionIndex": 0,
        "ordinal": 65_536,
        "blockTime": 1_030,
        "timestamp": 1_031,
        "recordedPosition": last,
        "status": "confirmed",
    }


async def test_the_other_leg_of_a_transfer_is_the_other_vaults(served: Served) -> None:
    served.append(transferred(1, 2, 30, 5))
    await served.project()
    (transaction,) = (await served.get(f"/v1/vaults/{address_of(2)}/transactions")).body["data"]
    assert (transaction["type"], transaction["counterparty"]) == ("transferIn", address_of(1))
    assert (transaction["vault"], transaction["owner"]) == (address_of(2), owner_of(2))
    assert transaction["totalBalance"] == "5"


async def test_transactions_are_finalized_when_coverage_has_passed_them(served: Served) -> None:
    served.append(*(deposited(1, slot) for slot in (9, 10, 11)))
    await served.project()
    path = f"/v1/vaults/{address_of(1)}/transactions?order=asc"
    assert [t["status"] for t in (await served.get(path)).body["data"]] == ["confirmed"] * 3
    served.cover(10)
    await served.project()
    assert [t["status"] for t in (await served.get(path)).body["data"]] == ["finalized", "finalized", "confirmed"]


async def test_the_order_is_the_chains_whatever_the_arrival_and_the_newest_come_first(served: Served) -> None:
    places = [(5, 1, 0), (5, 0, 1), (7, 0, 0), (5, 0, 0), (1, 0, 0), (5, 0, 10)]
    for slot, index, ordinal in places:
        served.append(deposited(1, slot, index=index, ordinal=ordinal))
    await served.project()
    path = f"/v1/vaults/{address_of(1)}/transactions"

    async def places_of(query: str) -> list[tuple[int, int, int]]:
        data = (await served.get(path + query)).body["data"]
        return [(one["slot"], one["transactionIndex"], one["ordinal"]) for one in data]

    assert await places_of("?order=asc") == sorted(places)
    assert await places_of("?order=desc") == await places_of("") == sorted(places, reverse=True)
