"""`vault-indexer redecode`: what a better decoder makes of stored evidence is appended as a further revision."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import structlog
from msgspec import structs

from eventstore import topics
from eventstore.facts import ChainFact, Fact, OperatorActed
from eventstore.identity import key_of
from eventstore.port import Inclusion, IngestStore, StoredEvidence
from indexer.decode import Decoder
from indexer.evidence import all_evidence, body_of, decode_evidence
from indexer.translate import FIRST_REVISION

log = structlog.get_logger()


class Redecoded(NamedTuple):
    """Transactions."""

    looked_at: int = 0
    changed: int = 0
    """Decoded otherwise than stored; appended, unless it is a dry run."""
    emptied: int = 0
    """Of which this decoder says nothing, where something is stored: left as they are."""
    incomplete: int = 0
    """That this decoder cannot be sure of: left as they are."""


def run_redecode(
    store: IngestStore,
    decoder: Decoder,
    *,
    from_slot: int,
    through_slot: int | None,
    operator: str,
    reason: str | None,
    dry_run: bool,
    report: Callable[[int], None],
) -> Redecoded:
    """Raises EvidenceDamaged and TransactionInvalid at the first that cannot be read; what was appended stays.

    Running it again appends nothing new.
    """
    if not dry_run:
        store.append([_acted(from_slot, through_slot, operator, reason)])
    done = Redecoded()
    for page in all_evidence(store, from_slot, through_slot):
        for evidence in page:
            done = _redecode(store, decoder, evidence, done, dry_run=dry_run)
        report(len(page))
    return done


def _redecode(
    store: IngestStore, decoder: Decoder, evidence: StoredEvidence, done: Redecoded, *, dry_run: bool
) -> Redecoded:
    done = done._replace(looked_at=done.looked_at + 1)
    facts = decode_evidence(decoder, evidence, body_of(evidence))
    place = {"signature": evidence.signature, "slot": evidence.slot}
    if facts is None:
        log.warning("redecode_incomplete", **place)
        return done._replace(incomplete=done.incomplete + 1)
    stored = store.latest_decode(Inclusion(evidence.signature, evidence.slot))
    if _content(facts) == _content(stored.facts):
        return done
    if not facts:
        log.error("redecode_emptied", stored=len(stored.facts), **place)
        return done._replace(emptied=done.emptied + 1)
    revision = stored.revision + 1
    log.warning("redecoded", revision=revision, stored=len(stored.facts), facts=len(facts), **place)
    if not dry_run:
        store.append([_with(fact, revision=revision) for fact in facts])
    return done._replace(changed=done.changed + 1)


def _content(facts: Iterable[Fact]) -> set[tuple[object, bytes]]:
    """What they say, whatever revision says it; block times are the node's estimate and may differ."""
    plain = [_with(fact, revision=FIRST_REVISION, block_time=None) for fact in facts]
    return {(key_of(fact), topics.encode(fact)) for fact in plain}


def _with(fact: Fact, **changes: int | None) -> Fact:
    assert isinstance(fact, ChainFact), "a decode says nothing else"
    return structs.replace(fact, **changes)


def _acted(from_slot: int, through_slot: int | None, operator: str, reason: str | None) -> OperatorActed:
    subject = f"slots from {from_slot}" + ("" if through_slot is None else f" through {through_slot}")
    now_us = int(time.time() * 1_000_000)
    return OperatorActed(operator=operator, action="redecode", subject=subject, reason=reason, acted_at_us=now_us)


def as_text(done: Redecoded, *, dry_run: bool) -> str:
    verb = "would be appended" if dry_run else "appended"
    text = f"{done.looked_at:,} transactions decoded again, {done.changed:,} otherwise than stored: {verb}"
    if done.emptied:
        text += f"; {done.emptied:,} of which this decoder says nothing left as they are"
    if done.incomplete:
        text += f"; {done.incomplete:,} incomplete left as they are"
    return text
