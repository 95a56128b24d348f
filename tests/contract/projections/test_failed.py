"""Transactions that failed: a row each that says why, with no vault and no effect on any."""

import pytest
from msgspec.structs import replace

from eventstore.facts import Fact, TransactionFailed, TransactionReinstated, TransactionReverted
from eventstore.port import IngestStore
from projections.as_of import NOW, Point, at_signature, vaults_as_of
from projections.documents import TransactionDocument
from projections.errors import VerificationFailed
from projections.store import ReadModelStore, Row
from projections.transactions import TRANSACTIONS, document_id
from projections.verify import verify
from tests.unit.projections.following import append, follow, live_generation, proved_digest, rebuild
from tests.unit.projections.histories import random_history

HAPPENED: list[Fact] = [fact for fact in random_history(steps=60, vaults=4) if not isinstance(fact, TransactionFailed)]
FAILED = TransactionFailed(
    signature="failed",
    slot=1_005,
    transaction_index=9,
    ordinal=0,
    revision=0,
    block_time=1_700_000_100,
    fee_payer="owner-0001",
    error='{"InstructionError":[2,{"Custom":6003}]}',
    code=6003,
    name="InsufficientFunds",
    message="The available balance is too small",
)
REVERTED = TransactionReverted(signature="failed", slot=1_005, times=1, blockhash=None)
REINSTATED = TransactionReinstated(signature="failed", slot=1_005, times=1)


async def row(models: ReadModelStore, fact: TransactionFailed = FAILED) -> TransactionDocument:
    generation = await live_generation(models, TRANSACTIONS)
    found = await generation.get([document_id(fact, "")])
    await generation.close()
    document = found[document_id(fact, "")].document
    assert isinstance(document, TransactionDocument)
    return document


async def test_its_row_says_who_paid_for_it_and_what_the_error_means(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, [*HAPPENED, FAILED])
    await follow(TRANSACTIONS, events, models)
    document = await row(models)
    assert (document.kind, document.status, document.vault, document.amount) == ("failed", "failed", "", 0)
    assert (document.fee_payer, document.error) == (FAILED.fee_payer, FAILED.error)
    assert (document.error_code, document.error_name, document.error_message) == (
        6003,
        "InsufficientFunds",
        "The available balance is too small",
    )
    assert (document.signature, document.slot, document.block_time) == ("failed", 1_005, 1_700_000_100)
    assert (document.recorded_position, document.turns) == (len(HAPPENED) + 1, (len(HAPPENED) + 1,))
    assert (await rebuild(TRANSACTIONS, events, models)).digest == await proved_digest(TRANSACTIONS, events, models)


async def test_what_becomes_of_it_is_told_as_of_every_transaction(models: ReadModelStore, events: IngestStore) -> None:
    append(events, [FAILED])
    for fact, status in ((REVERTED, "reverted"), (REINSTATED, "failed")):
        append(events, [fact])
        await follow(TRANSACTIONS, events, models)
        assert (await row(models)).status == status
    append(events, [replace(FAILED, revision=1, name="Paused")])
    await follow(TRANSACTIONS, events, models)
    assert ((await row(models)).status, (await row(models)).superseded) == ("superseded", True)
    assert (await row(models, replace(FAILED, revision=1))).error_name == "Paused"
    await proved_digest(TRANSACTIONS, events, models)


async def test_no_vault_has_it_and_it_is_a_point_of_the_chain_all_the_same(
    models: ReadModelStore, events: IngestStore
) -> None:
    append(events, HAPPENED)
    await follow(TRANSACTIONS, events, models)
    generation = await live_generation(models, TRANSACTIONS)
    before = [state async for state in vaults_as_of(generation, NOW, None)]
    append(events, [FAILED])
    await follow(TRANSACTIONS, events, models)
    assert [state async for state in vaults_as_of(generation, NOW, None)] == before
    for known_at in (None, events.last_position()):
        assert await at_signature(generation, "failed", known_at) == Point(FAILED.slot, FAILED.transaction_index + 1)
    assert await at_signature(generation, "failed", len(HAPPENED)) is None, "it was not known yet"
    await generation.close()


@pytest.mark.parametrize(("field", "wrong"), [("error_code", 1), ("error_name", None), ("status", "standing")])
async def test_a_row_that_was_changed_is_found_by_the_verification(
    models: ReadModelStore, events: IngestStore, field: str, wrong: object
) -> None:
    append(events, [*HAPPENED, FAILED])
    await follow(TRANSACTIONS, events, models)
    generation = await live_generation(models, TRANSACTIONS)
    held = await generation.checkpoint()
    changed = replace(await row(models), **{field: wrong})
    await generation.apply([Row(changed.id, held.position + 1, changed)], held, held)
    with pytest.raises(VerificationFailed, match=f"{field} of "):
        await verify(TRANSACTIONS, events, generation, held.position, lambda done, of: None)
    await generation.close()
