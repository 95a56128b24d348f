"""Facts to stored bytes and back, under short versioned topics."""

import msgspec

from eventstore import facts
from eventstore.errors import FactCorrupt, TopicUnknown
from eventstore.facts import ChainFact, Fact

I64_MAX = 2**63 - 1
U32_MAX = 2**32 - 1

TOPICS: dict[str, type[Fact]] = {
    f"{kind.__name__}.1": kind
    for kind in (
        facts.AuthorityInitialized,
        facts.ProgramAuthorized,
        facts.ProgramRevoked,
        facts.AdminProposed,
        facts.AdminAccepted,
        facts.VaultInitialized,
        facts.Deposited,
        facts.Withdrawn,
        facts.CollateralLocked,
        facts.CollateralUnlocked,
        facts.CollateralTransferred,
        facts.TransactionFailed,
        facts.EventUndecoded,
        facts.TransactionReverted,
        facts.TransactionReinstated,
        facts.GapFound,
        facts.GapClosed,
        facts.GapAccepted,
        facts.CoverageAdvanced,
        facts.ContentConflictFound,
        facts.OperatorActed,
        facts.EventDiscarded,
    )
}
_topic_of: dict[type[Fact], str] = {kind: topic for topic, kind in TOPICS.items()}
_encoder = msgspec.msgpack.Encoder()
_decoders: dict[str, msgspec.msgpack.Decoder[Fact]] = {
    topic: msgspec.msgpack.Decoder(kind) for topic, kind in TOPICS.items()
}


def topic_of(fact: Fact) -> str:
    return _topic_of[type(fact)]


def encode(fact: Fact) -> bytes:
    """The bytes that are stored: the same for equal facts."""
    return _encoder.encode(fact)


def decode(topic: str, state: bytes) -> Fact:
    """Raises TopicUnknown for a fact that a newer version wrote, and FactCorrupt for bytes that make none."""
    decoder = _decoders.get(topic)
    if decoder is None:
        raise TopicUnknown(topic)
    try:
        fact = decoder.decode(state)
    except (ValueError, TypeError) as error:  # TypeError: they are not even bytes
        raise FactCorrupt(str(error)) from error
    if isinstance(fact, ChainFact) and not _has_a_place(fact):
        raise FactCorrupt("its slot, transaction index, ordinal or revision is out of range")
    return fact


def _has_a_place(fact: ChainFact) -> bool:
    """In the chain's order, with numbers that a key can be made of and a database can hold."""
    return (
        0 <= fact.slot <= I64_MAX
        and 0 <= fact.transaction_index <= I64_MAX
        and 0 <= fact.ordinal <= I64_MAX
        and 0 <= fact.revision <= U32_MAX
    )
