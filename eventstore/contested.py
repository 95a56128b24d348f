"""The index of contested signatures: those of which more was said than one decode of one inclusion.

They are few. For each, every fact that says something about it is listed with its position, and the coverage that
passed one of its inclusions, so that what stands at any position can be told (`eventstore.standing`).
"""

from collections.abc import Sequence
from hashlib import blake2b

from eventstore import topics
from eventstore.backend import Row, Transaction
from eventstore.facts import ChainFact, CoverageAdvanced, EventDiscarded, Fact, InclusionFact
from eventstore.identity import streams_of
from eventstore.tables import CONTESTED, SIGNATURES

PAGE = 2_000
ABOUT_SIGNATURES = ChainFact | InclusionFact | EventDiscarded
Said = tuple[ABOUT_SIGNATURES, int]
"""A fact about a signature, and its position."""


def signature_id(signature: str) -> int:
    """blake2b-64, signed: small, for an index that has every signature. Where two are the same, the later signature is
    contested from its first fact on, which is harmless."""
    return int.from_bytes(blake2b(signature.encode(), digest_size=8, person=b"signature").digest(), "big", signed=True)


def note(t: Transaction, new: Sequence[tuple[Fact, int]]) -> None:
    """Of facts that were just stored, with their positions; before coverage itself is moved by them."""
    about: dict[str, list[Said]] = {}
    for fact, position in new:
        if isinstance(fact, ABOUT_SIGNATURES):
            about.setdefault(fact.signature, []).append((fact, position))
    rows = [(signature_id(signature), said[0][1]) for signature, said in about.items()]
    if t.insert(SIGNATURES, sorted(rows)) < len(rows):
        _join_earlier(t, about, rows)
    for signature, said in about.items():
        if len({_decode_of(fact) for fact, _ in said}) > 1 or not isinstance(said[0][0], ChainFact):
            _contest(t, signature, said)
    for fact, position in new:
        if isinstance(fact, CoverageAdvanced):
            _pass(t, fact, position)


def _join_earlier(t: Transaction, about: dict[str, list[Said]], rows: Sequence[tuple[int, int]]) -> None:
    """To what is new of a signature goes what was said of it before."""
    firsts = t.first_rows("SELECT position FROM signatures WHERE signature_id = ?", [(id_,) for id_, _ in rows])
    for (signature, said), (_, position), (first,) in zip(about.items(), rows, firsts, strict=True):
        if first == position:
            continue
        if t.rows("SELECT 1 FROM contested WHERE signature = ? LIMIT 1", (signature,)):
            _contest(t, signature, said)
            continue
        earlier = _of_first(t, first)
        if earlier[0][0].signature == signature:
            said[:0] = earlier
        else:
            _contest(t, signature, said)


def _of_first(t: Transaction, position: int) -> list[Said]:
    """The fact at a position with all others of its decode, in order of position."""
    (first, _) = _said(t.rows("SELECT position, topic, state FROM facts WHERE position = ?", (position,))[0])
    if not isinstance(first, ChainFact):
        return [(first, position)]
    said = [
        _said(row)
        for stream in streams_of(first.slot, first.signature, first.revision)
        for row in t.rows("SELECT position, topic, state FROM facts WHERE originator_id = ?", (stream,))
    ]
    return sorted(said, key=lambda one: one[1])


def _contest(t: Transaction, signature: str, said: Sequence[Said]) -> None:
    """Coverage may have passed what is said only now, and nothing that was said before."""
    t.insert(CONTESTED, [(signature, position, fact.slot) for fact, position in said])
    passed = t.rows("SELECT coverage_position, coverage FROM ingest_state WHERE coverage_position IS NOT NULL")
    t.insert(CONTESTED, [(signature, position, slot) for position, slot in passed])


def _pass(t: Transaction, coverage: CoverageAdvanced, position: int) -> None:
    """Coverage makes inclusions final."""
    before = t.rows("SELECT coverage FROM ingest_state")[0][0]
    signatures = t.rows(
        "SELECT DISTINCT signature FROM contested WHERE slot > ? AND slot <= ?", (before, coverage.through_slot)
    )
    t.insert(CONTESTED, [(signature, position, coverage.through_slot) for (signature,) in signatures])


def _decode_of(fact: ABOUT_SIGNATURES) -> tuple[int, int] | None:
    return (fact.slot, fact.revision) if isinstance(fact, ChainFact) else None


def _said(row: Row) -> Said:
    position, topic, state = row
    fact = topics.decode(topic, state)
    assert isinstance(fact, ABOUT_SIGNATURES), fact
    return fact, position


def fill(t: Transaction) -> None:
    """Of a store that had no such index: everything in it, as if it were appended again."""
    t.execute("UPDATE ingest_state SET coverage = -1, coverage_position = NULL")
    after = 0
    while rows := t.rows(
        "SELECT position, topic, state FROM facts WHERE position > ? ORDER BY position LIMIT ?", (after, PAGE)
    ):
        for position, topic, state in rows:
            fact = topics.decode(topic, state)
            note(t, [(fact, position)])
            if isinstance(fact, CoverageAdvanced):
                change = (fact.through_slot, position)
                t.execute("UPDATE ingest_state SET coverage = ?, coverage_position = ?", change)
        after = rows[-1][0]
