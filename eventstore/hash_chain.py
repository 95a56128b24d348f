"""A hash over every fact of a store, in order of position, that anybody can compute again from an export.

digest = blake2b-256, person "fact", of position (u64 BE) | recorded_at_us (u64 BE) | originator_id (16 bytes) |
originator_version (u64 BE) | length of the topic in bytes (u16 BE) | topic | state
hash = blake2b-256, person "hash-chain", of the previous hash (32 bytes, zeros before the first) | digest
"""

import re
import struct
from hashlib import blake2b
from typing import NamedTuple, Self

from eventstore.errors import HeadMalformed
from eventstore.port import StoredBytes

START = bytes(32)
_numbers = struct.Struct(">QQ16sQH")
_head = re.compile(r"(\d{1,19}):([0-9a-f]{64})")


class Head(NamedTuple):
    """A link of the chain: what every fact up to a position hashes to. Written `POSITION:HASH`, the latter in hex."""

    position: int = 0
    hash: bytes = START

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises HeadMalformed."""
        match = _head.fullmatch(text)
        if match is None:
            raise HeadMalformed(text)
        return cls(int(match[1]), bytes.fromhex(match[2]))

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"

    def after(self, fact: StoredBytes) -> "Head":
        """With the next fact."""
        return self.linked(fact.position, digest_of(fact))

    def linked(self, position: int, digest: bytes) -> "Head":
        return Head(position, blake2b(self.hash + digest, digest_size=32, person=b"hash-chain").digest())


def digest_of(fact: StoredBytes) -> bytes:
    topic = fact.topic.encode()
    numbers = _numbers.pack(
        fact.position, fact.recorded_at_us, fact.key.originator_id.bytes, fact.key.originator_version, len(topic)
    )
    return blake2b(numbers + topic + fact.state, digest_size=32, person=b"fact").digest()
