"""What the log makes of documents that are no vault's, or of one fact each; deliberately other code than `evolve`."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from msgspec import structs

from eventstore.facts import (
    ChainFact,
    CollateralLocked,
    CollateralUnlocked,
    ContentConflictFound,
    CoverageAdvanced,
    Deposited,
    EventDiscarded,
    EventUndecoded,
    GapAccepted,
    GapClosed,
    GapFact,
    GapFound,
    InclusionFact,
    OperatorActed,
    TransactionFailed,
    VaultInitialized,
    Withdrawn,
)
from eventstore.hash_chain import Head
from eventstore.identity import vaults_of
from eventstore.port import FactReader, StoredBytes, StoredFact
from projections.expected import Fields, seen_from
from projections.told import PAGE, Told, told

SUMMED = {
    VaultInitialized: "opened",
    Deposited: "deposited",
    Withdrawn: "withdrawn",
    CollateralLocked: "locked",
    CollateralUnlocked: "unlocked",
}
LIVE = -1

About = Sequence[StoredFact] | None
OfFacts = tuple[str, str, Fields]
"""Vault, empty for a document that is no vault's; id; fields."""


class OfLog(Protocol):
    def add(self, stored: StoredFact, about: About) -> None:
        """A fact as it arrived, with what is said about its signature if that is contested."""

    def ready(self) -> Iterator[OfFacts]:
        """Documents to which no later fact adds anything; each once."""

    def rest(self) -> Iterator[OfFacts]:
        """All others, at the end."""


class NoneReady:
    """Whose documents are known at the end only."""

    def ready(self) -> Iterator[OfFacts]:
        return iter(())


class TvlOfLog(NoneReady):
    def __init__(self) -> None:
        self._sums: dict[int, Counter[str]] = {}
        self._ticked: set[int] = set()
        self._covered_s = 0

    def add(self, stored: StoredFact, about: About) -> None:
        fact = stored.fact
        if about and told("tvl_stats", "", stored, about).state != "standing":
            return
        if isinstance(fact, VaultInitialized | Deposited | Withdrawn | CollateralLocked | CollateralUnlocked):
            amount = 1 if isinstance(fact, VaultInitialized) else fact.amount
            for minute in (fact.timestamp - fact.timestamp % 60, LIVE):
                sums = self._sums.setdefault(minute, Counter())
                sums[SUMMED[type(fact)]] += amount
                sums["events"] += 1
        elif isinstance(fact, CoverageAdvanced) and fact.block_time is not None:
            self._covered_s = max(self._covered_s, fact.block_time)
            self._ticked.add(fact.block_time - fact.block_time % 60 - 60)

    def rest(self) -> Iterator[OfFacts]:
        until: Counter[str] = Counter()
        for minute in sorted(self._sums.keys() | self._ticked):
            own = self._sums.get(minute, Counter())
            if minute != LIVE:
                until.update(own)
            said = {name: own[name] for name in (*SUMMED.values(), "events")} | {
                "minute": minute,
                "ticked": minute in self._ticked,
            }
            if minute == LIVE:
                yield "", "live", said | _totals(own) | {"settled": False}
            else:
                settled = minute + 60 <= self._covered_s
                yield "", f"minute:{minute}", said | _totals(until if settled else Counter()) | {"settled": settled}


def _totals(until: Counter[str]) -> Fields:
    return {
        "total_balance": until["deposited"] - until["withdrawn"],
        "locked_balance": until["locked"] - until["unlocked"],
        "vault_count": until["opened"],
    }


class CoverageOfLog(NoneReady):
    def __init__(self) -> None:
        self._coverages: list[CoverageAdvanced] = []
        self._gaps: dict[tuple[int, int, str], list[GapFact]] = {}

    def add(self, stored: StoredFact, _about: About) -> None:
        fact = stored.fact
        if isinstance(fact, CoverageAdvanced):
            self._coverages.append(fact)
        elif isinstance(fact, GapFact):
            place = (fact.from_slot, fact.through_slot, fact.signature or "")
            self._gaps.setdefault(place, []).append(fact)

    def rest(self) -> Iterator[OfFacts]:
        if self._coverages:
            last = max(self._coverages, key=lambda coverage: coverage.through_slot)
            said: Fields = {"state": "complete", "through_slot": last.through_slot, "block_time": last.block_time}
            yield "", "complete", said | {"blockhash": last.blockhash}
        for (from_slot, through_slot, signature), said_of_it in self._gaps.items():
            gap = max(said_of_it, key=lambda fact: (fact.times, STATES.index(type(fact))))
            state = ("open", "accepted", "closed")[STATES.index(type(gap))]
            said = {"state": state, "from_slot": from_slot, "through_slot": through_slot, "times": gap.times}
            said |= {"reason": gap.reason, "operator": gap.operator if isinstance(gap, GapAccepted) else None}
            yield "", f"gap:{from_slot}:{through_slot}:{signature}", said


class AllReady:
    """Whose documents are of one fact each."""

    def __init__(self) -> None:
        self._ready: list[OfFacts] = []

    def ready(self) -> Iterator[OfFacts]:
        ready, self._ready = self._ready, []
        return iter(ready)

    def rest(self) -> Iterator[OfFacts]:
        return self.ready()


class TransactionsOfLog(AllReady):
    def add(self, stored: StoredFact, about: About) -> None:
        fact = stored.fact
        if isinstance(fact, TransactionFailed):
            self._add("", _failed(fact), fact, told("transactions", "", stored, about))
        for vault in vaults_of(fact):
            assert isinstance(fact, ChainFact), fact
            self._add(vault, seen_from(vault, fact), fact, told("transactions", vault, stored, about))

    def _add(self, vault: str, said: Fields, fact: ChainFact, told: Told) -> None:
        if told.state == "discarded":
            return
        id_ = f"{str(fact.slot).zfill(12)}:{fact.signature}:{fact.revision}:{fact.ordinal}:{vault}"
        said["id"], said["vault"], said["recorded_position"] = id_, vault, told.stored.position
        said["status"], said["superseded"] = told.state, told.state == "superseded"
        if told.state == "standing" and isinstance(fact, TransactionFailed):
            said["status"] = "failed"
        self._ready.append((vault, id_, said))


def _failed(fact: TransactionFailed) -> Fields:
    place = ("signature", "slot", "transaction_index", "ordinal", "block_time", "fee_payer", "error")
    said: Fields = {name: getattr(fact, name) for name in place}
    said |= {f"error_{name}": getattr(fact, name) for name in ("code", "name", "message")}
    said |= {"owner": "", "counterparty": None, "kind": "failed", "timestamp": -1}
    return said | dict.fromkeys(("amount", "total_balance", "locked_balance", "available_balance"), 0)


class AuditOfLog(AllReady):
    """By the names of a fact's fields, and with the chain made anew from what is stored, which it reads itself."""

    def __init__(self, facts: FactReader) -> None:
        super().__init__()
        self._stored = _stored_bytes(facts)
        self._head = Head()

    def add(self, stored: StoredFact, _about: About) -> None:
        link = next(self._stored)
        assert link.position == stored.position, (link.position, stored.position)
        self._head = self._head.after(link)
        fact = stored.fact
        if isinstance(fact, CoverageAdvanced):
            return
        said = structs.asdict(fact)
        key = f"{link.key.originator_id.hex}:{link.key.originator_version}"
        id_ = f"{str(fact.slot).zfill(12)}:{key}" if isinstance(fact, ChainFact | InclusionFact) else key
        fields: Fields = {
            "id": id_,
            "recorded_position": stored.position,
            "hash": str(self._head).split(":")[1],
            "recorded_at_us": stored.recorded_at_us,
            "source": SOURCES.get(type(fact), "chain" if isinstance(fact, ChainFact) else "indexer"),
            "action": said.get("action", type(fact).__name__),
            "user": _first(said, "owner", "from_owner", "admin", "fee_payer", "operator"),
            "vault": _first(said, "vault", "from_vault"),
            "counterparty": said.get("to_vault"),
            "signature": None if isinstance(fact, GapFact) else said.get("signature"),
            "slot": said.get("slot"),
            "success": not isinstance(fact, TransactionFailed | EventUndecoded | ContentConflictFound),
        }
        self._ready.append(("", id_, fields))


SOURCES: dict[type[object], str] = dict.fromkeys((GapAccepted, OperatorActed, EventDiscarded), "operator")


def _first(said: Fields, *names: str) -> str | None:
    return next((said[name] for name in names if name in said), None)


def _stored_bytes(facts: FactReader) -> Iterator[StoredBytes]:
    after = 0
    while True:
        with facts.snapshot() as snapshot:
            page = snapshot.bytes_after(after, PAGE)
        if not page:
            return
        yield from page
        after = page[-1].position


STATES: tuple[type[GapFact], ...] = (GapFound, GapAccepted, GapClosed)
OF_LOG: dict[str, Callable[[FactReader], OfLog]] = {
    "transactions": lambda _: TransactionsOfLog(),
    "tvl_stats": lambda _: TvlOfLog(),
    "audit_logs": AuditOfLog,
    "coverage": lambda _: CoverageOfLog(),
}
