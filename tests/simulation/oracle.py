"""What must hold when a schedule is over: the store says what the chain says, and never promised more than it had."""

from typing import NamedTuple

from eventstore.facts import (
    ChainFact,
    ContentConflictFound,
    CoverageAdvanced,
    GapFound,
    ProgramFact,
    TransactionFailed,
    TransactionReinstated,
    TransactionReverted,
)
from eventstore.port import IngestStore, StoredFact
from tests.simulation.chain_model import ChainEvent, ChainModel

CHAIN_FIELDS = ("signature", "slot", "transaction_index", "ordinal", "revision", "block_time")


class Findings(NamedTuple):
    lost: list[ChainEvent]
    doubled: list[ProgramFact]
    """Stored and standing, and not on the chain, or more than once."""
    wrong: list[str]
    """Everything else."""
    events: int

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)


def compare(chain: ChainModel, store: IngestStore) -> Findings:
    stored = store.read_after(0, 1_000_000)
    expected = {_key(event.signature, event.slot, event.ordinal): event for event in chain.events()}
    lost = dict(expected)
    doubled: list[ProgramFact] = []
    standing = _standing(stored)
    for fact in [s.fact for s in standing if isinstance(s.fact, ProgramFact)]:
        event = lost.pop(_key(fact.signature, fact.slot, fact.ordinal), None)
        if event is None or not _same(event, fact):
            doubled.append(fact)
    wrong = [*_wrong_failures(chain, standing), *_wrong_coverage(chain, stored), *_unfinished(chain, store)]
    wrong += [f"conflict {s.fact.key}" for s in stored if isinstance(s.fact, ContentConflictFound)]
    return Findings(list(lost.values()), doubled, wrong, len(expected))


def _key(signature: str, slot: int, ordinal: int) -> tuple[str, int, int]:
    return signature, slot, ordinal


def _standing(stored: list[StoredFact]) -> list[StoredFact]:
    """Facts of the inclusions that stand: of each signature that in the highest slot, of those not reverted."""
    reverted: set[tuple[str, int]] = set()
    for s in stored:
        if isinstance(s.fact, TransactionReverted):
            reverted.add((s.fact.signature, s.fact.slot))
        if isinstance(s.fact, TransactionReinstated):
            reverted.remove((s.fact.signature, s.fact.slot))
    kept = [s for s in stored if isinstance(s.fact, ChainFact) and (s.fact.signature, s.fact.slot) not in reverted]
    highest: dict[str, int] = {}
    for s in kept:
        assert isinstance(s.fact, ChainFact)
        highest[s.fact.signature] = max(highest.get(s.fact.signature, 0), s.fact.slot)
    return [s for s in kept if isinstance(s.fact, ChainFact) and highest[s.fact.signature] == s.fact.slot]


def _same(event: ChainEvent, fact: ProgramFact) -> bool:
    own = {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in CHAIN_FIELDS}
    return (type(fact).__name__, fact.transaction_index, own) == (event.name, event.transaction_index, event.fields)


def _wrong_failures(chain: ChainModel, stored: list[StoredFact]) -> list[str]:
    found = [(s.fact.signature, s.fact.slot) for s in stored if isinstance(s.fact, TransactionFailed)]
    wrong = [f"failed transaction {one} is stored twice" for one in set(found) if found.count(one) > 1]
    return wrong + [f"failed transaction {one}" for one in chain.failed() ^ set(found)]


def _wrong_coverage(chain: ChainModel, stored: list[StoredFact]) -> list[str]:
    """What a statement covers must have been stored before it, and what the chain dropped must have been reverted.

    Unless the nodes listed it too late: then the store has to own up to the gap.
    """
    owned_up_to = {(s.fact.signature, s.fact.from_slot) for s in stored if isinstance(s.fact, GapFound)}
    wrong = []
    for position, through_slot in [
        (s.position, s.fact.through_slot) for s in stored if isinstance(s.fact, CoverageAdvanced)
    ]:
        standing = [s.fact for s in _standing([s for s in stored if s.position < position])]
        found = {
            _key(fact.signature, fact.slot, fact.ordinal)
            for fact in standing
            if isinstance(fact, ProgramFact) and fact.slot <= through_slot
        }
        expected = {_key(e.signature, e.slot, e.ordinal) for e in chain.events() if e.slot <= through_slot}
        missed = {one for one in expected - found if one[:2] not in owned_up_to}
        wrong += [f"slot {through_slot} was called covered without {one}" for one in missed]
        wrong += [f"slot {through_slot} was called covered with {one}" for one in found - expected]
    return wrong


def _unfinished(chain: ChainModel, store: IngestStore) -> list[str]:
    progress = store.progress()
    done = progress.coverage >= chain.slots and progress.owed == 0 and progress.unsettled == 0
    return [] if done else [f"it did not come to an end: {progress}"]
