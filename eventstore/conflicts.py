"""A fact that arrives again under a known key says the same, or that it does not is a fact of its own."""

from collections.abc import Sequence

from msgspec import structs

from eventstore import topics
from eventstore.backend import EncodedFact, Transaction
from eventstore.facts import ChainFact, ContentConflictFound, CoverageAdvanced, Fact


def find_conflicts(t: Transaction, known: Sequence[tuple[Fact, EncodedFact]]) -> list[ContentConflictFound]:
    """What to report of facts whose keys are stored already."""
    stored = t.first_rows(
        "SELECT topic, state FROM facts WHERE originator_id = ? AND originator_version = ?",
        [(incoming.originator_id, incoming.originator_version) for _, incoming in known],
    )
    return [
        ContentConflictFound(
            key=f"{incoming.originator_id.hex}:{incoming.originator_version}",
            topic=incoming.topic,
            incoming=incoming.state,
        )
        for (fact, incoming), (topic, state) in zip(known, stored, strict=True)
        if not _says_the_same(fact, incoming, topic, state)
    ]


def _says_the_same(fact: Fact, incoming: EncodedFact, topic: str, state: bytes) -> bool:
    """Block time is the node's estimate and may differ."""
    if (topic, state) == (incoming.topic, incoming.state):
        return True
    return topic == incoming.topic and _without_block_time(topics.decode(topic, state)) == _without_block_time(fact)


def _without_block_time(fact: Fact) -> Fact:
    return structs.replace(fact, block_time=None) if isinstance(fact, ChainFact | CoverageAdvanced) else fact
