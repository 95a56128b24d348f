"""Facts to stored bytes and back, under short versioned topics."""

import msgspec

from eventstore import facts
from eventstore.errors import TopicUnknown
from eventstore.facts import Fact

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
        facts.CoverageAdvanced,
        facts.ContentConflictFound,
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
    """Raises TopicUnknown for a fact that a newer version wrote."""
    decoder = _decoders.get(topic)
    if decoder is None:
        raise TopicUnknown(topic)
    return decoder.decode(state)
