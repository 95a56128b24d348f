"""What the whole log makes of the documents that are no vault's; deliberately other code than `evolve`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from eventstore.facts import (
    CollateralLocked,
    CollateralUnlocked,
    CoverageAdvanced,
    Deposited,
    GapAccepted,
    GapClosed,
    GapFact,
    GapFound,
    VaultInitialized,
    Withdrawn,
)
from eventstore.port import StoredFact
from projections.expected import Fields

SUMMED = {
    VaultInitialized: "opened",
    Deposited: "deposited",
    Withdrawn: "withdrawn",
    CollateralLocked: "locked",
    CollateralUnlocked: "unlocked",
}
LIVE = -1


def _tvl_stats(log: Iterable[StoredFact]) -> Iterator[tuple[str, Fields]]:
    sums: dict[int, Counter[str]] = {}
    ticked: set[int] = set()
    covered_s = 0
    for stored in log:
        fact = stored.fact
        if isinstance(fact, CoverageAdvanced) and fact.block_time is not None:
            covered_s = max(covered_s, fact.block_time)
            ticked.add(fact.block_time - fact.block_time % 60 - 60)
        elif isinstance(fact, VaultInitialized | Deposited | Withdrawn | CollateralLocked | CollateralUnlocked):
            for minute in (fact.timestamp - fact.timestamp % 60, LIVE):
                amount = 1 if isinstance(fact, VaultInitialized) else fact.amount
                sums.setdefault(minute, Counter()).update({SUMMED[type(fact)]: amount, "events": 1})
    until: Counter[str] = Counter()
    for minute in sorted(sums.keys() | ticked):
        own = sums.get(minute, Counter())
        if minute != LIVE:
            until.update(own)
        said = {name: own[name] for name in (*SUMMED.values(), "events")} | {
            "minute": minute,
            "ticked": minute in ticked,
        }
        if minute == LIVE:
            yield "live", said | _totals(own) | {"settled": False}
        else:
            settled = minute + 60 <= covered_s
            yield f"minute:{minute}", said | _totals(until if settled else Counter()) | {"settled": settled}


def _totals(until: Counter[str]) -> Fields:
    return {
        "total_balance": until["deposited"] - until["withdrawn"],
        "locked_balance": until["locked"] - until["unlocked"],
        "vault_count": until["opened"],
    }


def _coverage(log: Iterable[StoredFact]) -> Iterator[tuple[str, Fields]]:
    coverages: list[CoverageAdvanced] = []
    gaps: dict[tuple[int, int, str], list[GapFact]] = {}
    for stored in log:
        if isinstance(stored.fact, CoverageAdvanced):
            coverages.append(stored.fact)
        elif isinstance(stored.fact, GapFact):
            place = (stored.fact.from_slot, stored.fact.through_slot, stored.fact.signature or "")
            gaps.setdefault(place, []).append(stored.fact)
    if coverages:
        last = max(coverages, key=lambda coverage: coverage.through_slot)
        said: Fields = {"state": "complete", "through_slot": last.through_slot, "block_time": last.block_time}
        yield "complete", said | {"blockhash": last.blockhash}
    for (from_slot, through_slot, signature), said_of_it in gaps.items():
        gap = max(said_of_it, key=lambda fact: (fact.times, STATES.index(type(fact))))
        state = ("open", "accepted", "closed")[STATES.index(type(gap))]
        said = {"state": state, "from_slot": from_slot, "through_slot": through_slot, "times": gap.times}
        said |= {"reason": gap.reason, "operator": gap.operator if isinstance(gap, GapAccepted) else None}
        yield f"gap:{from_slot}:{through_slot}:{signature}", said


STATES: tuple[type[GapFact], ...] = (GapFound, GapAccepted, GapClosed)
OF_LOG: dict[str, Callable[[Iterable[StoredFact]], Iterator[tuple[str, Fields]]]] = {
    "tvl_stats": _tvl_stats,
    "coverage": _coverage,
}
