"""A whole store as text that anybody can check and import: one JSON object a line.

First a header, then every fact in order of position, then the evidence by slot, then the end. A fact has its digest
and the hash of the chain up to it (`eventstore.hash_chain`), so that what was changed, left out, added or moved can be
named. `state` (msgpack) and `body` (one Zstandard frame) are base64, digests and hashes hexadecimal; `recordedAtUs` is
in Unix microseconds, `blockTime` in Unix seconds.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, BinaryIO, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from eventstore.errors import ExportInvalid, StoreUnbound
from eventstore.hash_chain import Head, digest_of
from eventstore.identity import FactKey, key_text
from eventstore.port import Binding, FactReader, StoredBytes, StoredEvidence

VERSION = 1
I64_MAX = 2**63 - 1
Natural = Annotated[int, Meta(ge=0, le=I64_MAX)]
UnixSeconds = Annotated[int, Meta(ge=-I64_MAX, le=I64_MAX)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
PAGE = 1_000
LINE_BYTES_MAX = 128 * 2**20


class Header(Struct, frozen=True, tag="header", tag_field="kind", rename="camel"):
    version: int
    genesis_hash: str
    program_id: str
    contents: Literal["store", "evidence"]


class FactLine(Struct, frozen=True, gc=False, tag="fact", tag_field="kind", rename="camel"):
    position: Annotated[int, Meta(ge=1, le=I64_MAX)]
    recorded_at_us: Natural
    key: Annotated[str, Meta(pattern="^[0-9a-f]{32}:[0-9]{1,18}$")]
    topic: Annotated[str, Meta(max_length=100)]
    state: bytes
    digest: Digest
    hash: Digest

    def stored(self) -> StoredBytes:
        stream, _, version = self.key.partition(":")
        key = FactKey(UUID(hex=stream), int(version))
        return StoredBytes(self.position, self.recorded_at_us, key, self.topic, self.state)


class EvidenceLine(Struct, frozen=True, gc=False, tag="evidence", tag_field="kind", rename="camel"):
    signature: str
    slot: Natural
    transaction_index: Natural
    block_time: UnixSeconds | None
    endpoint: str
    recorded_at_us: Natural
    quality: Natural
    is_settled: bool
    body: bytes

    def stored(self) -> StoredEvidence:
        return StoredEvidence(**{name: getattr(self, name) for name in StoredEvidence._fields})


class End(Struct, frozen=True, tag="end", tag_field="kind", rename="camel"):
    facts: int
    evidence: int
    head: str


Line = Header | FactLine | EvidenceLine | End
_decoder: "msgspec.json.Decoder[Line]" = msgspec.json.Decoder(Line)
_encoder = msgspec.json.Encoder()


class NumberedLine(NamedTuple):
    number: int
    """From 1."""
    line: Line


class Exported(NamedTuple):
    """How far an export is, and what it is in the end."""

    facts: int
    evidence: int
    head: Head


def write_export(
    reader: FactReader,
    out: BinaryIO,
    *,
    evidence_only: bool = False,
    report: Callable[[Exported], None] = lambda _: None,
) -> Exported:
    """Of one moment, whatever is written to the store meanwhile. `report` is called after each page.

    Raises StoreUnbound for a store that no indexer has begun to fill.
    """
    with reader.snapshot() as snapshot:
        binding = snapshot.binding()
        if binding is None:
            raise StoreUnbound(snapshot.where)
        contents: Literal["store", "evidence"] = "evidence" if evidence_only else "store"
        _write(out, [Header(VERSION, binding.genesis_hash, binding.program_id, contents)])
        done = Exported(0, 0, Head())
        while not evidence_only and (facts := snapshot.bytes_after(done.head.position, PAGE)):
            lines, head = _linked(facts, done.head)
            _write(out, lines)
            done = done._replace(facts=done.facts + len(facts), head=head)
            report(done)
        last = (0, "")
        while evidence := snapshot.evidence_after(*last, PAGE):
            _write(out, [EvidenceLine(**one._asdict()) for one in evidence])
            last = (evidence[-1].slot, evidence[-1].signature)
            done = done._replace(evidence=done.evidence + len(evidence))
            report(done)
    _write(out, [End(done.facts, done.evidence, str(done.head))])
    return done


def _linked(facts: Iterable[StoredBytes], head: Head) -> tuple[list[FactLine], Head]:
    lines = []
    for fact in facts:
        digest = digest_of(fact)
        head = head.linked(fact.position, digest)
        key = key_text(fact.key)
        lines.append(
            FactLine(fact.position, fact.recorded_at_us, key, fact.topic, fact.state, digest.hex(), head.hash.hex())
        )
    return lines, head


def _write(out: BinaryIO, lines: Iterable[Line]) -> None:
    out.write(_encoder.encode_lines(lines))


def read_export(source: BinaryIO) -> Iterator[NumberedLine]:
    """From the header to the end, both always there. Raises ExportInvalid."""
    seen_end = False
    number = 0
    while content := source.readline(LINE_BYTES_MAX):
        number += 1
        if seen_end:
            raise ExportInvalid(number, "there is something after the end")
        try:
            line = _decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ExportInvalid(number, f"it is no line of an export: {error}") from error
        if (number == 1) != isinstance(line, Header):
            raise ExportInvalid(number, "the header is the first line, and only that")
        if isinstance(line, Header) and line.version != VERSION:
            raise ExportInvalid(number, f"it is of version {line.version}, this software knows {VERSION}")
        seen_end = isinstance(line, End)
        yield NumberedLine(number, line)
    if not seen_end:
        raise ExportInvalid(number + 1, "it ends before its end: the file was cut off")


def binding_of(header: Header) -> Binding:
    return Binding(header.genesis_hash, header.program_id)
