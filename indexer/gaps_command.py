"""`vault-indexer gaps`: what the store cannot answer for, and an operator's word that it may go on without it."""

import msgspec

from eventstore.port import Gap, IngestStore
from indexer.errors import IndexerError


class GapUnknown(IndexerError):
    """There is no such gap that is open."""

    def __init__(self, from_slot: int, through_slot: int, signature: str | None) -> None:
        of = f" of {signature}" if signature else ""
        where = f"from slot {from_slot} through {through_slot}"
        super().__init__(f"no gap{of} {where} is open; `vault-indexer gaps list` names those that are")


def listed(store: IngestStore, *, as_json: bool) -> str:
    """Those that are not closed, lowest first: a line each."""
    gaps = store.gaps()
    if as_json:
        return "\n".join(msgspec.json.encode(_as_object(gap)).decode() for gap in gaps)
    if not gaps:
        return "no gaps"
    return "\n".join(_as_text(gap) for gap in gaps)


def accept(store: IngestStore, gap: Gap, *, operator: str, reason: str) -> str:
    """Raises GapUnknown."""
    if not store.accept_gap(gap, operator=operator, reason=reason):
        raise GapUnknown(gap.from_slot, gap.through_slot, gap.signature)
    return f"accepted by {operator}: {_as_text(gap._replace(reason=reason, is_accepted=True))}"


def _as_text(gap: Gap) -> str:
    state = "accepted" if gap.is_accepted else "open"
    what = gap.signature or "whatever is there"
    return f"{state:<9}slot {gap.from_slot} through {gap.through_slot}  {what}  {gap.reason}"


def _as_object(gap: Gap) -> dict[str, object]:
    return {
        "fromSlot": gap.from_slot,
        "throughSlot": gap.through_slot,
        "signature": gap.signature,
        "state": "accepted" if gap.is_accepted else "open",
        "reason": gap.reason,
    }
