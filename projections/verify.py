"""The proof before a flip: what each vault's own history says, in chain order, against the documents of a generation.

Deliberately another way than `evolve`: the vault's index instead of the log, whole histories instead of steps.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

from msgspec import structs

from eventstore.facts import CollateralTransferred, Deposited, Fact, VaultFact, VaultInitialized, Withdrawn
from eventstore.identity import key_of, vaults_of
from eventstore.port import FactReader, StoredFact
from projections.errors import VerificationFailed
from projections.projection import Projection
from projections.store import Generation

SLICES = 64
"""Vaults are compared slice by slice; a difference names its slice."""
PAGE = 5_000

History = list[StoredFact]
Fields = dict[str, Any]


async def verify(
    projection: Projection,
    facts: FactReader,
    generation: Generation,
    position: int,
    done: Callable[[int, int], None],
) -> int:
    """Returns how many documents were compared; `done(slices, of)` is told as it goes.

    The generation must stand still at `position`. Raises VerificationFailed with the first difference.
    """
    expect = EXPECTED[projection.name]
    slices = _vaults_by_slice(facts, position)
    compared = 0
    for number, vaults in enumerate(slices):
        for vault in vaults:
            expected = expect(vault, _history(facts, vault, position))
            await _compare(projection, generation, expected, f"slice {number} of {SLICES}, vault {vault}")
            compared += len(expected)
        done(number + 1, SLICES)
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip
    stored = await generation.count()
    if stored != compared:
        raise VerificationFailed(projection.name, f"there are {stored} documents, the facts make {compared}")
    return compared


async def _compare(projection: Projection, generation: Generation, expected: dict[str, Fields], where: str) -> None:
    rows = await generation.get(list(expected))
    for id_, fields in expected.items():
        row = rows.get(id_)
        if row is None:
            raise VerificationFailed(projection.name, f"{where}: document {id_} is missing")
        found = structs.asdict(row.document)
        for name, said in fields.items():
            if found[name] != said:
                raise VerificationFailed(
                    projection.name, f"{where}: {name} of {id_} is {found[name]!r}, the facts say {said!r}"
                )


def _vaults_by_slice(facts: FactReader, position: int) -> list[list[str]]:
    seen: set[str] = set()
    after = 0
    while batch := [s for s in facts.read_after(after, PAGE) if s.position <= position]:
        seen.update(vault for stored in batch for vault in vaults_of(stored.fact))
        after = batch[-1].position
    slices: list[list[str]] = [[] for _ in range(SLICES)]
    for vault in sorted(seen):
        slices[crc32(vault.encode()) % SLICES].append(vault)
    return slices


def _history(facts: FactReader, vault: str, position: int) -> History:
    def pages() -> Iterator[StoredFact]:
        after = 0
        while page := facts.read_vault(vault, through_position=position, after=after, limit=PAGE):
            yield from page
            after += len(page)

    return list(pages())


def _expected_vault(vault: str, history: History) -> dict[str, Fields]:
    events = [stored.fact for stored in history]
    last = _seen_from(vault, events[-1])
    first = next((e for e in events if isinstance(e, VaultInitialized)), None)
    deposits = [e.amount for e in events if isinstance(e, Deposited)]
    withdrawals = [e.amount for e in events if isinstance(e, Withdrawn)]
    document = {
        "address": vault,
        "owner": last["owner"],
        "token_account": first.token_account if first else None,
        "mint": first.mint if first else None,
        "decimals": first.decimals if first else None,
        "total_balance": last["total_balance"],
        "locked_balance": last["locked_balance"],
        "available_balance": last["available_balance"],
        "deposited_total": sum(deposits),
        "withdrawn_total": sum(withdrawals),
        "deposit_count": len(deposits),
        "withdrawal_count": len(withdrawals),
        "created_at": first.timestamp if first else None,
        "updated_at": last["timestamp"],
        "last_slot": last["slot"],
        "last_transaction_index": last["transaction_index"],
        "last_ordinal": last["ordinal"],
        "last_signature": last["signature"],
    }
    return {vault: document}


def _expected_transactions(vault: str, history: History) -> dict[str, Fields]:
    documents: dict[str, Fields] = {}
    for stored in history:
        key = key_of(stored.fact)
        id_ = f"{key.originator_id.hex}:{key.originator_version}:{vault}"
        documents[id_] = {"id": id_, "vault": vault, "recorded_position": stored.position} | _seen_from(
            vault, stored.fact
        )
    return documents


def _seen_from(vault: str, event: Fact) -> Fields:
    """What one event says to one of its vaults."""
    assert isinstance(event, VaultInitialized | VaultFact | CollateralTransferred), event
    said: Fields = {"counterparty": None, "amount": 0, "kind": KINDS[type(event).__name__]}
    if isinstance(event, CollateralTransferred):
        mine, other, said["kind"] = (
            ("to", "from", "transferIn") if event.to_vault == vault else ("from", "to", "transferOut")
        )
        said["amount"], said["counterparty"] = event.amount, getattr(event, f"{other}_vault")
    else:
        mine, said["amount"] = "", getattr(event, "amount", 0)
    for field in ("owner", "total_balance", "locked_balance", "available_balance"):
        said[field] = getattr(event, f"{mine}_{field}" if mine else field)
    for field in ("signature", "slot", "transaction_index", "ordinal", "block_time", "timestamp"):
        said[field] = getattr(event, field)
    return said


KINDS = {
    "VaultInitialized": "initialize",
    "Deposited": "deposit",
    "Withdrawn": "withdraw",
    "CollateralLocked": "lock",
    "CollateralUnlocked": "unlock",
    "CollateralTransferred": "",
}
EXPECTED: dict[str, Callable[[str, History], dict[str, Fields]]] = {
    "vaults": _expected_vault,
    "transactions": _expected_transactions,
}
