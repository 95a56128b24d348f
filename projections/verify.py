"""The proof before a flip: what each vault's own history says, in chain order, against the documents of a generation.

Deliberately another way than `evolve`: the vault's index instead of the log, whole histories instead of steps.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple
from zlib import crc32

from msgspec import structs

from eventstore.facts import CollateralTransferred, Deposited, Fact, VaultFact, VaultInitialized, Withdrawn
from eventstore.identity import key_of, vaults_of
from eventstore.port import FactReader, StoredFact
from projections.errors import VaultIndexDiffers, VerificationFailed
from projections.projection import Projection
from projections.store import Generation, Row

SLICES = 64
"""Vaults are compared slice by slice; a difference names its slice."""
PAGE = 5_000
DOCUMENTS_AT_ONCE = 500

History = list[StoredFact]
Fields = dict[str, Any]


class Expected(NamedTuple):
    """What a vault's history makes of one document."""

    vault: str
    id: str
    fields: Fields


async def verify(
    projection: Projection,
    facts: FactReader,
    generation: Generation,
    position: int,
    done: Callable[[int, int], None],
) -> int:
    """Returns how many documents were compared; `done(slices, of)` is told as it goes.

    The generation must stand still at `position`. Raises VerificationFailed with the first difference, and
    VaultIndexDiffers where the vault's index is not what the log says.
    """
    counts = Counter(vault for stored in _log(facts, position) for vault in vaults_of(stored.fact))
    compared = 0
    for number, vaults in enumerate(_slices(counts)):
        expected = _expected(projection, facts, {vault: counts[vault] for vault in vaults}, position)
        while some := list(islice(expected, DOCUMENTS_AT_ONCE)):
            await _compare(projection, generation, some, f"slice {number} of {SLICES}")
            compared += len(some)
        done(number + 1, SLICES)
        await asyncio.sleep(0)  # or Ctrl-C would be heard after the flip
    stored = await generation.count()
    if stored != compared:
        raise VerificationFailed(projection.name, f"there are {stored} documents, the facts make {compared}")
    return compared


async def _compare(projection: Projection, generation: Generation, expected: Sequence[Expected], where: str) -> None:
    rows = await generation.get([one.id for one in expected])
    for one in expected:
        difference = _difference(rows.get(one.id), one)
        if difference is not None:
            raise VerificationFailed(projection.name, f"{where}, vault {one.vault}: {difference}")


def _difference(row: Row | None, expected: Expected) -> str | None:
    if row is None:
        return f"document {expected.id} is missing"
    found = structs.asdict(row.document)
    for name, said in expected.fields.items():
        if found[name] != said:
            return f"{name} of {expected.id} is {found[name]!r}, the facts say {said!r}"
    return None


def _slices(vaults: Counter[str]) -> list[list[str]]:
    slices: list[list[str]] = [[] for _ in range(SLICES)]
    for vault in sorted(vaults):
        slices[crc32(vault.encode()) % SLICES].append(vault)
    return slices


def _expected(projection: Projection, facts: FactReader, counts: dict[str, int], position: int) -> Iterator[Expected]:
    """Of the vaults in `counts`, each with how many facts the log has of it."""
    expect = EXPECTED[projection.name]
    for vault, count in counts.items():
        history = list(islice(_history(facts, vault, position), count + 1))
        if len(history) > count:
            raise VaultIndexDiffers(projection.name, vault, "names a fact twice")
        if len(history) < count:
            lacking = _first_lacking(facts, vault, history, position)
            raise VaultIndexDiffers(projection.name, vault, f"lacks the fact at position {lacking}")
        for id_, fields in expect(vault, history):
            yield Expected(vault, id_, fields)


def _log(facts: FactReader, position: int) -> Iterator[StoredFact]:
    """All facts up to there, as they arrived."""
    after = 0
    while batch := [s for s in facts.read_after(after, PAGE) if s.position <= position]:
        yield from batch
        after = batch[-1].position


def _history(facts: FactReader, vault: str, position: int) -> Iterator[StoredFact]:
    """A vault's facts up to there, in chain order."""
    after = None
    while True:
        page = facts.read_vault(vault, through_position=position, after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]


def _first_lacking(facts: FactReader, vault: str, history: History, position: int) -> int:
    """The lowest position of a fact of the vault that its history lacks."""
    known = {stored.position for stored in history}
    return next(s.position for s in _log(facts, position) if vault in vaults_of(s.fact) and s.position not in known)


def _expected_vault(vault: str, history: History) -> Iterator[tuple[str, Fields]]:
    events = [stored.fact for stored in history]
    last = _seen_from(vault, events[-1])
    first = next((e for e in events if isinstance(e, VaultInitialized)), None)
    deposits = [e.amount for e in events if isinstance(e, Deposited)]
    withdrawals = [e.amount for e in events if isinstance(e, Withdrawn)]
    yield (
        vault,
        {
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
        },
    )


def _expected_transactions(vault: str, history: History) -> Iterator[tuple[str, Fields]]:
    for stored in history:
        key = key_of(stored.fact)
        id_ = f"{key.originator_id.hex}:{key.originator_version}:{vault}"
        own = {"id": id_, "vault": vault, "recorded_position": stored.position}
        yield id_, own | _seen_from(vault, stored.fact)


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
EXPECTED: dict[str, Callable[[str, History], Iterator[tuple[str, Fields]]]] = {
    "vaults": _expected_vault,
    "transactions": _expected_transactions,
}
