"""Who did what: every fact but coverage, in the order in which it was stored, with the hash chain carried on."""

import hashlib

import pytest
from msgspec import structs

from eventstore.facts import (
    ContentConflictFound,
    CoverageAdvanced,
    Deposited,
    EventDiscarded,
    Fact,
    GapAccepted,
    OperatorActed,
    TransactionFailed,
    TransactionReverted,
)
from eventstore.hash_chain import Head
from eventstore.identity import key_of, key_text
from eventstore.port import FactReader, IngestStore
from projections.audit_logs import AUDIT_LOGS
from projections.documents import AuditDocument
from projections.errors import VerificationFailed
from projections.store import Query, ReadModelStore, Row
from projections.verify import verify
from tests.unit.projections.following import append, follow, live_generation, rebuild
from tests.unit.projections.histories import Ledger, Step, random_history

HISTORY = random_history(steps=200, vaults=5)
DEPOSIT = next(fact for fact in HISTORY if isinstance(fact, Deposited))
FAILED = next(fact for fact in HISTORY if isinstance(fact, TransactionFailed))
SAID: list[Fact] = [
    OperatorActed(operator="ann@desk", action="pause", subject="vaults", reason="a look", acted_at_us=5_000_001),
    TransactionReverted(signature=DEPOSIT.signature, slot=DEPOSIT.slot, times=1, blockhash=None),
    GapAccepted(from_slot=5, through_slot=9, signature=None, times=1, reason="lost", operator="bob@desk"),
    EventDiscarded(
        signature=DEPOSIT.signature,
        slot=DEPOSIT.slot,
        key=key_text(key_of(DEPOSIT)),
        vault=DEPOSIT.vault,
        projection="vaults",
        operator="bob@desk",
        reason="wrong",
    ),
    ContentConflictFound(key=key_text(key_of(DEPOSIT)), topic="deposited", incoming=b"\x90"),
    CoverageAdvanced(through_slot=10**6, block_time=None, blockhash=None),
]


async def audited(models: ReadModelStore) -> list[AuditDocument]:
    generation = await live_generation(models, AUDIT_LOGS)
    rows = await generation.find(Query({}, ("recorded_position", "id"), None, False, 10_000))
    await generation.close()
    return [row.document for row in rows]


def chain_of(facts: FactReader) -> dict[int, str]:
    """By the formula that eventstore/hash_chain.py states, and nothing else of it."""
    hashes, last = {}, bytes(32)
    with facts.snapshot() as snapshot:
        for fact in snapshot.bytes_after(0, 10_000):
            topic = fact.topic.encode()
            numbers = fact.position.to_bytes(8, "big") + fact.recorded_at_us.to_bytes(8, "big")
            key = fact.key.originator_id.bytes + fact.key.originator_version.to_bytes(8, "big")
            said = numbers + key + len(topic).to_bytes(2, "big") + topic + fact.state
            digest = hashlib.blake2b(said, digest_size=32, person=b"fact").digest()
            last = hashlib.blake2b(last + digest, digest_size=32, person=b"hash-chain").digest()
            hashes[fact.position] = last.hex()
    return hashes


async def test_every_fact_but_coverage_is_there_once_in_order_with_its_hash(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, [*HISTORY, *SAID])
    await follow(AUDIT_LOGS, events, models)
    stored = [s for s in events.read_after(0, 10_000) if not isinstance(s.fact, CoverageAdvanced)]
    documents, hashes = await audited(models), chain_of(events)
    assert [d.recorded_position for d in documents] == [s.position for s in stored]
    assert [d.hash for d in documents] == [hashes[s.position] for s in stored]
    assert len({d.id for d in documents}) == len(documents)
    generation = await live_generation(models, AUDIT_LOGS)
    assert (await generation.checkpoint()).chain_hash == hashes[events.last_position()], "coverage is in the chain"
    await generation.close()


async def test_it_says_who_did_what_and_whether_that_succeeded(models: ReadModelStore, events: IngestStore) -> None:
    append(events, [DEPOSIT, FAILED, *SAID])
    await follow(AUDIT_LOGS, events, models)
    deposit, failed, paused, reverted, accepted, discarded, conflict = await audited(models)
    assert (deposit.source, deposit.action, deposit.user) == ("chain", "Deposited", DEPOSIT.owner)
    assert (deposit.vault, deposit.signature, deposit.slot) == (DEPOSIT.vault, DEPOSIT.signature, DEPOSIT.slot)
    assert (deposit.time_s, deposit.success, deposit.error) == (DEPOSIT.timestamp, True, None)
    assert (failed.user, failed.success, failed.error, failed.time_s) == ("p", False, "{}", FAILED.block_time)
    assert (paused.source, paused.action, paused.user) == ("operator", "pause", "ann@desk")
    assert (paused.subject, paused.reason, paused.time_s) == ("vaults", "a look", 5)
    assert (reverted.source, reverted.action, reverted.signature) == (
        "indexer",
        "TransactionReverted",
        DEPOSIT.signature,
    )
    assert (accepted.source, accepted.user, accepted.subject) == ("operator", "bob@desk", "slots 5 to 9")
    assert (discarded.vault, discarded.subject, discarded.reason) == (DEPOSIT.vault, "vaults", "wrong")
    assert (conflict.source, conflict.success) == ("indexer", False)
    assert conflict.error is not None
    assert key_text(key_of(DEPOSIT)) in conflict.error


async def test_a_transfer_is_one_document_that_names_both_vaults(models: ReadModelStore, events: IngestStore) -> None:
    facts = Ledger(vaults=2).take([Step("deposit", 0, 0, 9, False), Step("transfer", 0, 1, 5, False)])
    append(events, facts)
    await follow(AUDIT_LOGS, events, models)
    last = (await audited(models))[-1]
    assert (last.action, last.vault, last.counterparty) == ("CollateralTransferred", "vault-0000", "vault-0001")


@pytest.mark.parametrize("batch", [1, 7, 1_000])
async def test_the_chain_is_the_same_however_it_is_batched_resumed_or_rebuilt(
    models: ReadModelStore, events: IngestStore, batch: int
) -> None:
    for start in range(0, len(HISTORY), 60):
        append(events, HISTORY[start : start + 60])
        await follow(AUDIT_LOGS, events, models)
    followed = await audited(models)
    await rebuild(AUDIT_LOGS, events, models, batch=batch)
    append(events, SAID)
    await follow(AUDIT_LOGS, events, models)
    assert (await audited(models))[: len(followed)] == followed
    assert [d.hash for d in await audited(models)] == [
        chain_of(events)[d.recorded_position] for d in await audited(models)
    ]


@pytest.mark.parametrize("changed", [{"hash": "0" * 64}, {"user": "nobody"}, {"success": False}])
async def test_a_document_that_is_not_what_was_stored_is_named(
    models: ReadModelStore, events: IngestStore, changed: dict[str, object]
) -> None:
    append(events, HISTORY)
    await follow(AUDIT_LOGS, events, models)
    one = next(document for document in await audited(models) if document.action == "Deposited")
    generation = await live_generation(models, AUDIT_LOGS)
    held = await generation.checkpoint()
    await generation.apply([Row(one.id, 10**6, structs.replace(one, **changed))], held, held)
    with pytest.raises(VerificationFailed, match=f"{next(iter(changed))} of {one.id} is"):
        await verify(AUDIT_LOGS, events, generation, events.last_position(), lambda done, of: None)
    await generation.close()


async def test_the_head_is_what_an_export_is_verified_with(models: ReadModelStore, events: IngestStore) -> None:
    append(events, HISTORY)
    await follow(AUDIT_LOGS, events, models)
    last = (await audited(models))[-1]
    with events.snapshot() as snapshot:
        head = Head()
        for fact in snapshot.bytes_after(0, 10_000):
            head = head.after(fact)
    assert str(head) == f"{last.recorded_position}:{last.hash}"
