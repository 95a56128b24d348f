"""What vaults held at a point of the chain, and as it was known at a position of the store; all by index seeks.

Each vault's state is its last transaction that stood: `transactions` has the balances after each, and from where to
where in the store it stood.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

from projections.documents import TransactionDocument
from projections.store import Generation, Query

LAST = 2**63 - 1
PAGE = 100
FORK_SLOTS = 512
"""As slots rise, the program's clock falls from one fork to another only: within the slots that a fork can have."""


class Point(NamedTuple):
    """In chain order: the transactions below (slot, index) count, and of those the ones up to `time_s`."""

    slot: int = LAST
    transaction_index: int = 0
    time_s: int | None = None
    """Unix seconds, by the program's clock."""


NOW = Point()


class Moment(NamedTuple):
    """What a reader asks for: one of slot, time and signature, or now; and the position at which it was known so."""

    slot: int | None = None
    time_s: int | None = None
    """Unix seconds."""
    signature: str | None = None
    known_at: int | None = None
    """None for what is known now."""


async def point_of(generation: Generation, moment: Moment) -> Point | None:
    """None for a signature that was not known then, or did not stand. `generation` is of transactions."""
    assert sum(one is not None for one in moment[:3]) <= 1, moment
    if moment.signature is not None:
        return await at_signature(generation, moment.signature, moment.known_at)
    if moment.time_s is not None:
        return await at_time(generation, moment.time_s)
    return NOW if moment.slot is None else at_slot(moment.slot)


def at_slot(slot: int) -> Point:
    """After everything in that slot."""
    return Point(slot + 1)


async def at_time(generation: Generation, time_s: int) -> Point:
    """After everything that the program's clock says was then, or before."""
    rows = await generation.find(Query({}, ("timestamp", "slot", "id"), (time_s, LAST, ""), True, 1))
    return Point(rows[0].document.slot + FORK_SLOTS if rows else 0, time_s=time_s)


async def at_signature(generation: Generation, signature: str, known_at: int | None) -> Point | None:
    """After that transaction, in the slot in which it stood; None if it is not known, or did not stand."""
    rows = await generation.find(Query({"signature": signature}, ("id",), None, False, PAGE))
    for row in rows:
        if stood(row.document, known_at):
            return Point(row.document.slot, row.document.transaction_index + 1)
    return None


def stood(transaction: TransactionDocument, known_at: int | None) -> bool:
    """At a position of the store; at the last one for None. One that failed did: it is a point of the chain."""
    if known_at is None:
        return transaction.status in ("standing", "failed")
    return sum(turn <= known_at for turn in transaction.turns) % 2 == 1


async def vault_as_of(
    generation: Generation, vault: str, point: Point, known_at: int | None
) -> TransactionDocument | None:
    """The vault's last transaction that stood at a point; None if there was none. `generation` is of transactions."""
    found = [await _last(generation, vault, point, known_at, superseded=False)]
    if known_at is not None:  # what a better decode has replaced since was what was known then
        found.append(await _last(generation, vault, point, known_at, superseded=True))
    return max((one for one in found if one is not None), key=_place, default=None)


async def vaults_as_of(
    generation: Generation, point: Point, known_at: int | None, *, after: str = ""
) -> AsyncIterator[TransactionDocument]:
    """Of each vault that there was at a point, by address, those above `after`."""
    while (vault := await _next_vault(generation, after)) is not None:
        state = await vault_as_of(generation, vault, point, known_at)
        if state is not None:
            yield state
        after = vault


async def _last(
    generation: Generation, vault: str, point: Point, known_at: int | None, *, superseded: bool
) -> TransactionDocument | None:
    order = ("slot", "transaction_index", "ordinal", "id")
    where: dict[str, str | int] = {"vault": vault, "superseded": superseded}
    after: tuple[str | int, ...] = (point.slot, point.transaction_index, 0, "")
    limit = 1
    while True:
        rows = await generation.find(Query(where, order, after, True, limit))
        for row in rows:
            document: TransactionDocument = row.document
            if stood(document, known_at) and (point.time_s is None or document.timestamp <= point.time_s):
                return document
        if len(rows) < limit:
            return None
        after, limit = (*_place(rows[-1].document), rows[-1].id), PAGE


async def _next_vault(generation: Generation, after: str) -> str | None:
    """The lowest address above another."""
    order = ("vault", "superseded", "slot", "transaction_index", "ordinal", "id")
    rows = await generation.find(Query({}, order, (after, 1, LAST, LAST, LAST, ""), False, 1))
    return rows[0].document.vault if rows else None


def _place(transaction: TransactionDocument) -> tuple[int, int, int]:
    return transaction.slot, transaction.transaction_index, transaction.ordinal
