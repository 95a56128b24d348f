"""Lists of transactions in chain order, of one vault or of all; of what is passed over, so many at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal, NamedTuple

from projections.as_of import FORK_SLOTS, LAST
from projections.documents import TransactionDocument, TransactionKind
from projections.store import Generation, Query

CHUNK = 500
SCAN_MAX = 10_000
"""Documents that are looked at for one page: one that finds less ends early, and says where to go on."""
IN_CHAIN_ORDER = ("slot", "transaction_index", "ordinal", "id")
SLOT_DIGITS = 12
"""Of the slot that a document's id begins with."""
ShownStatus = Literal["confirmed", "finalized", "reverted", "failed"]
Order = Literal["asc", "desc"]
Key = tuple[int, int, int, str]


class Wanted(NamedTuple):
    """Which transactions; all by default. Bounds are included."""

    from_slot: int = 0
    through_slot: int = LAST - 1
    from_s: int | None = None
    """Unix seconds, as `through_s`: by the program's clock, and the block's for transactions that failed."""
    through_s: int | None = None
    kind: TransactionKind | None = None
    status: ShownStatus | None = None

    @property
    def passes_over(self) -> bool:
        """Something within its slots."""
        return any(one is not None for one in self[2:])


EVERYTHING = Wanted()


class Found(NamedTuple):
    documents: list[TransactionDocument]
    next: Key | None
    """After which to go on; None at the end."""


def status_of(transaction: TransactionDocument, complete_through_slot: int | None) -> ShownStatus:
    """`finalized` once coverage has passed it."""
    if transaction.status == "failed":
        return "failed"
    if transaction.status != "standing":
        return "reverted"
    return (
        "finalized" if complete_through_slot is not None and transaction.slot <= complete_through_slot else "confirmed"
    )


async def find(
    generation: Generation,
    vault: str | None,
    after: Key | None,
    limit: int,
    wanted: Wanted,
    complete_through_slot: int | None,
    *,
    descending: bool,
) -> Found:
    """Of a vault, or of all for None, with those that a fork dropped; without those of which a better decode stands."""
    wanted = await _by_slots(generation, wanted)
    first = (wanted.through_slot + 1, -1, -1, "") if descending else (wanted.from_slot, -1, -1, "")
    after = first if after is None else (min if descending else max)(first, after)
    chunk = CHUNK if wanted.passes_over else min(limit + 1, CHUNK)
    documents = (
        _of_all(generation, after, chunk, descending=descending)
        if vault is None
        else _of_vault(generation, vault, after, chunk, descending=descending)
    )
    found: list[TransactionDocument] = []
    seen, last = 0, after
    async for document in documents:
        if not wanted.from_slot <= document.slot <= wanted.through_slot:
            break
        if len(found) == limit or seen == SCAN_MAX:
            return Found(found, last)
        if _is_wanted(document, wanted, complete_through_slot):
            found.append(document)
        seen, last = seen + 1, _key(document)
    return Found(found, None)


async def of_signature(generation: Generation, signature: str, limit: int) -> list[TransactionDocument]:
    """In chain order, all its inclusions."""
    rows = await generation.find(Query({"signature": signature}, ("id",), None, False, limit))
    return sorted((row.document for row in rows if not row.document.superseded), key=_key)


async def _of_vault(
    generation: Generation, vault: str, after: Key, chunk: int, *, descending: bool
) -> AsyncIterator[TransactionDocument]:
    where: dict[str, str | int] = {"vault": vault, "superseded": False}
    while True:
        rows = await generation.find(Query(where, IN_CHAIN_ORDER, after, descending, chunk))
        for row in rows:
            yield row.document
        if len(rows) < chunk:
            return
        after = _key(rows[-1].document)
        await asyncio.sleep(0)  # a store that never waits would let nobody else run


async def _of_all(
    generation: Generation, after: Key, chunk: int, *, descending: bool
) -> AsyncIterator[TransactionDocument]:
    """By their ids, which begin with the slot; each slot is put into order here, in memory that one block bounds."""
    after_id = f"{after[0] + 1 if descending else after[0]:0{SLOT_DIGITS}}"
    of_slot: list[TransactionDocument] = []
    while True:
        rows = await generation.find(Query({}, ("id",), (after_id,), descending, chunk))
        for document in (row.document for row in rows):
            if of_slot and of_slot[0].slot != document.slot:
                for one in _beyond(of_slot, after, descending=descending):
                    yield one
                of_slot = []
            if not document.superseded:
                of_slot.append(document)
        if len(rows) < chunk:
            break
        after_id = rows[-1].id
        await asyncio.sleep(0)  # as above
    for one in _beyond(of_slot, after, descending=descending):
        yield one


def _beyond(of_slot: list[TransactionDocument], after: Key, *, descending: bool) -> list[TransactionDocument]:
    rest = [one for one in of_slot if (_key(one) < after if descending else _key(one) > after)]
    return sorted(rest, key=_key, reverse=descending)


async def _by_slots(generation: Generation, wanted: Wanted) -> Wanted:
    """The same, with what its times say of slots: so that there is less to pass over."""
    order = ("timestamp", "slot", "id")
    if wanted.from_s is not None:
        rows = await generation.find(Query({}, order, (wanted.from_s, -1, ""), True, 1))
        before = rows[0].document if rows else None
        if before is not None and before.kind != "failed":  # those have no time of the program's clock
            wanted = wanted._replace(from_slot=max(wanted.from_slot, before.slot - FORK_SLOTS))
    if wanted.through_s is not None:
        rows = await generation.find(Query({}, order, (wanted.through_s, LAST, ""), False, 1))
        if rows:
            wanted = wanted._replace(through_slot=min(wanted.through_slot, rows[0].document.slot + FORK_SLOTS))
    return wanted


def _is_wanted(document: TransactionDocument, wanted: Wanted, complete_through_slot: int | None) -> bool:
    if wanted.kind is not None and document.kind != wanted.kind:
        return False
    if wanted.status is not None and status_of(document, complete_through_slot) != wanted.status:
        return False
    if wanted.from_s is None and wanted.through_s is None:
        return True
    time_s = document.block_time if document.kind == "failed" else document.timestamp
    after = wanted.from_s is None or (time_s is not None and time_s >= wanted.from_s)
    return after and (wanted.through_s is None or (time_s is not None and time_s <= wanted.through_s))


def _key(transaction: TransactionDocument) -> Key:
    return transaction.slot, transaction.transaction_index, transaction.ordinal, transaction.id
