"""The collection `tvl_stats`: what all vaults hold together, at the end of each minute of chain time, and now.

A minute's own deposits, withdrawals, locks and unlocks are summed as they arrive; its totals are made of those of the
minute before once coverage has passed its end. There is a document for each minute in which something happened or
coverage arrived: while the service runs, for each.
"""

from typing import assert_never

from msgspec import structs

from eventstore.facts import (
    CollateralLocked,
    CollateralUnlocked,
    CoverageAdvanced,
    Deposited,
    Fact,
    VaultInitialized,
    Withdrawn,
)
from eventstore.port import StoredFact
from projections.documents import MINUTE_S, TvlDocument
from projections.projection import Projection

LIVE = "live"
"""The id of the document with the sums of all that stands, covered or not."""
Change = VaultInitialized | Deposited | Withdrawn | CollateralLocked | CollateralUnlocked


def minute_id(minute: int) -> str:
    """Of the minute that begins there, Unix seconds."""
    return f"minute:{minute}"


def touches(fact: Fact) -> tuple[str, ...]:
    match fact:
        case VaultInitialized() | Deposited() | Withdrawn() | CollateralLocked() | CollateralUnlocked():
            return (minute_id(fact.timestamp // MINUTE_S * MINUTE_S), LIVE)
        case CoverageAdvanced() if fact.block_time is not None:
            return (minute_id(fact.block_time // MINUTE_S * MINUTE_S - MINUTE_S),)
        case _:
            return ()


def evolve(document: TvlDocument | None, id_: str, stored: StoredFact) -> TvlDocument:
    document, fact = document or _empty(id_), stored.fact
    if isinstance(fact, CoverageAdvanced):
        return structs.replace(document, ticked=True)
    assert isinstance(fact, Change), fact
    return _with(document, fact, 1)


def without(document: TvlDocument, stored: StoredFact) -> TvlDocument | None:
    """What `evolve` made of it, taken back."""
    assert isinstance(stored.fact, Change), stored
    document = _with(document, stored.fact, -1)
    return document if document.events or document.ticked else None


def _with(document: TvlDocument, fact: Change, sign: int) -> TvlDocument:
    name, amount = _counted(fact)
    summed = {name: getattr(document, name) + sign * amount, "events": document.events + sign}
    document = structs.replace(document, **summed)
    return structs.replace(document, **_totals(None, document)) if document.id == LIVE else document


def _counted(fact: Change) -> tuple[str, int]:
    """The field, and by how much it grows."""
    match fact:
        case Deposited():
            return "deposited", fact.amount
        case Withdrawn():
            return "withdrawn", fact.amount
        case CollateralLocked():
            return "locked", fact.amount
        case CollateralUnlocked():
            return "unlocked", fact.amount
        case VaultInitialized():
            return "opened", 1
        case _:
            assert_never(fact)


def settle(before: TvlDocument | None, document: TvlDocument) -> TvlDocument:
    """With totals: those of the settled minute before and what happened since."""
    return structs.replace(document, settled=True, **_totals(before, document))


def _totals(before: TvlDocument | None, document: TvlDocument) -> dict[str, int]:
    total, locked, vaults = (before.total_balance, before.locked_balance, before.vault_count) if before else (0, 0, 0)
    return {
        "total_balance": total + document.deposited - document.withdrawn,
        "locked_balance": locked + document.locked - document.unlocked,
        "vault_count": vaults + document.opened,
    }


def _empty(id_: str) -> TvlDocument:
    return TvlDocument(id=id_, minute=-1 if id_ == LIVE else int(id_.split(":")[1]))


TVL_STATS = Projection(
    name="tvl_stats",
    version=2,
    document=TvlDocument,
    touches=touches,
    evolve=evolve,
    accumulates=True,
    without=without,
    settle=settle,
    indexes=(("minute", "id"),),
    share=10,
    amounts=frozenset({"deposited", "withdrawn", "locked", "unlocked", "total_balance", "locked_balance"}),
)
