"""What must hold when a schedule is over: the store says what the chain says, and never promised more than it had."""

from typing import NamedTuple

from eventstore.facts import ContentConflictFound, CoverageAdvanced, Fact, ProgramFact, TransactionFailed
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
    lost, doubled = dict(expected), []
    for fact in _standing(stored):
        event = lost.pop(_key(fact.signature, fact.slot, fact.ordinal), None)
        if event is None or not _same(event, fact):
            doubled.append(fact)
    wrong = [*_wrong_failures(chain, stored), *_wrong_coverage(chain, stored), *_unfinished(chain, store)]
    wrong += [f"conflict {s.fact.key}" for s in stored if isinstance(s.fact, ContentConflictFound)]
    return Findings(list(lost.values()), doubled, wrong, len(expected))


def _key(signature: str, slot: int, ordinal: int) -> tuple[str, int, int]:
    return signature, slot, ordinal


def _standing(stored: list[StoredFact]) -> list[ProgramFact]:
    return [s.fact for s in stored if isinstance(s.fact, ProgramFact)]


def _same(event: ChainEvent, fact: ProgramFact) -> bool:
    own = {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in CHAIN_FIELDS}
    return (type(fact).__name__, fact.transaction_index, own) == (event.name, event.transaction_index, event.fields)


def _wrong_failures(chain: ChainModel, stored: list[StoredFact]) -> list[str]:
    found = [(s.fact.signature, s.fact.slot) for s in stored if isinstance(s.fact, TransactionFailed)]
    wrong = [f"failed transaction {one} is stored twice" for one in set(found) if found.count(one) > 1]
    return wrong + [f"failed transaction {one}" for one in chain.failed() ^ set(found)]


def _wrong_coverage(chain: ChainModel, stored: list[StoredFact]) -> list[str]:
    """What a statement covers must have been stored before it."""
    positions = {_key_of(s.fact): s.position for s in stored if isinstance(s.fact, ProgramFact)}
    wrong = []
    for s in stored:
        if isinstance(s.fact, CoverageAdvanced):
            wrong += [
                f"slot {s.fact.through_slot} was called covered without {event.signature} of slot {event.slot}"
                for event in chain.events()
                if event.slot <= s.fact.through_slot
                and positions.get(_key(event.signature, event.slot, event.ordinal), s.position) >= s.position
            ]
    return wrong


def _key_of(fact: Fact) -> tuple[str, int, int]:
    assert isinstance(fact, ProgramFact)
    return _key(fact.signature, fact.slot, fact.ordinal)


def _unfinished(chain: ChainModel, store: IngestStore) -> list[str]:
    progress = store.progress()
    done = progress.coverage >= chain.slots and progress.owed == 0
    return [] if done else [f"it did not come to an end: {progress}"]
