"""The loop: what the chain has ends up in the store once, in whatever way the node falters."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
import structlog

from eventstore.errors import LeaseLost
from eventstore.facts import CoverageAdvanced, Deposited, ProgramFact, TransactionFailed
from eventstore.port import IngestStore
from indexer.decode import Decoder
from indexer.errors import ChainUnavailable, RpcRefused
from indexer.fetch import Fetcher
from indexer.hint import Hint
from indexer.idl_file import load_idl
from indexer.ingest import LOUD_TRIES, Ingest, Pace
from indexer.settings import BUNDLED_IDL
from indexer.settlement import Settlement
from indexer.sweep import Sweep
from tests.simulation.virtual_time import VirtualTimeLoop

PROGRAM = "CVxtopwzPR1UqUTjThq2UqFvfYFxmDsCHpgD6FjcjyGk"
RECORDED = Path(__file__).parents[2] / "recorded" / "transactions.ndjson"
EVENTS = 9
"""Events in the recorded transactions, which are 8, one of them failed."""
DEADLINE_S = 10


class Run(Protocol):
    def __call__(self, until: Callable[[], bool]) -> Awaitable[None]: ...


@pytest.fixture
def recorded(chain: Any) -> list[dict[str, Any]]:
    transactions = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    transactions.sort(key=lambda t: int(t["slot"]))
    for transaction in transactions:
        put(chain, transaction)
    chain.finalized = transactions[-1]["slot"] + 31
    return transactions


def put(chain: Any, transaction: dict[str, Any]) -> None:
    signature = transaction["transaction"]["signatures"][0]
    chain.history.append((transaction["slot"], signature))
    chain.bodies[signature] = json.dumps(transaction).encode()


@pytest.fixture
def make_ingest(chain: Any, store: IngestStore, epoch: int) -> Callable[[], Ingest]:
    decoder = Decoder(load_idl(BUNDLED_IDL), PROGRAM)

    def make() -> Ingest:
        sweep, fetcher = Sweep(chain, store, epoch, PROGRAM), Fetcher(chain, decoder)
        settlement = Settlement(chain, store, epoch)
        return Ingest(chain, store, epoch, sweep, fetcher, settlement, Hint(), Pace(0.01, 0.01))

    return make


@pytest.fixture
def run(make_ingest: Callable[[], Ingest]) -> Run:
    """One indexer, from its start until the condition holds; then stopped in good order."""

    async def run_until(until: Callable[[], bool]) -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(make_ingest().run(stop))
        async with asyncio.timeout(DEADLINE_S):
            while not until():
                assert not running.done(), running.exception()
                await asyncio.sleep(0.005)
        stop.set()
        await running

    return run_until


def program_facts(store: IngestStore) -> list[ProgramFact]:
    return [s.fact for s in store.read_after(0, 1_000) if isinstance(s.fact, ProgramFact)]


async def test_every_event_of_the_chain_is_stored_once_and_covered(
    run: Run, recorded: list[Any], chain: Any, store: IngestStore
) -> None:
    await run(lambda: store.progress().coverage == chain.finalized)
    facts = program_facts(store)
    assert len(facts) == EVENTS
    assert len({(f.signature, f.ordinal) for f in facts}) == EVENTS
    (failed,) = [s.fact for s in store.read_after(0, 1_000) if isinstance(s.fact, TransactionFailed)]
    assert failed.name == "InsufficientAvailable"
    covered = store.last_coverage()
    assert covered is not None
    assert covered.fact == CoverageAdvanced(
        through_slot=chain.finalized, block_time=1_000 + chain.finalized, blockhash=f"hash-{chain.finalized}"
    )


async def test_block_time_is_that_of_the_signature_list_because_nodes_err_in_the_transaction(
    run: Run, recorded: list[Any], store: IngestStore
) -> None:
    await run(lambda: store.progress().coverage >= 0)
    assert all(fact.block_time == 1_000 + fact.slot for fact in program_facts(store))


async def test_a_second_indexer_process_doubles_nothing_and_takes_what_is_new(
    run: Run, recorded: list[dict[str, Any]], chain: Any, store: IngestStore
) -> None:
    newest = recorded[-1]["transaction"]["signatures"][0]
    chain.hides = {newest}
    await run(lambda: store.progress().coverage >= 0)
    before = program_facts(store)
    chain.hides = set()
    chain.finalized += 10
    await run(lambda: store.progress().coverage == chain.finalized)
    assert program_facts(store)[: len(before)] == before
    assert len(program_facts(store)) == EVENTS


async def test_a_transaction_that_the_node_does_not_have_yet_stays_owed_and_holds_the_frontier(
    run: Run, recorded: list[dict[str, Any]], chain: Any, store: IngestStore
) -> None:
    signature, slot = recorded[3]["transaction"]["signatures"][0], recorded[3]["slot"]
    body = chain.bodies.pop(signature)
    await run(lambda: store.progress().owed == 1 and store.progress().coverage >= 0)
    assert store.progress().frontier == slot - 1
    assert store.progress().coverage < slot
    chain.bodies[signature] = body
    await run(lambda: store.progress().coverage == chain.finalized)
    assert len(program_facts(store)) == EVENTS


@pytest.mark.parametrize("flaw", [b"<html>", b"{}", b'{"slot":1}', b"null", "without inner instructions"])
async def test_evidence_that_is_not_complete_is_never_taken_for_done(
    run: Run, recorded: list[dict[str, Any]], chain: Any, store: IngestStore, flaw: bytes | str
) -> None:
    signature = recorded[3]["transaction"]["signatures"][0]
    whole = chain.bodies[signature]
    if isinstance(flaw, bytes):
        chain.bodies[signature] = flaw
    else:
        recorded[3]["meta"]["innerInstructions"] = None
        chain.bodies[signature] = json.dumps(recorded[3]).encode()
    await run(lambda: store.progress().owed == 1 and store.progress().discovered_through >= 0)
    assert signature not in {fact.signature for fact in program_facts(store)}
    chain.bodies[signature] = whole
    await run(lambda: store.progress().owed == 0)
    assert len(program_facts(store)) == EVENTS


async def test_a_node_that_answers_with_another_transaction_is_not_believed(
    run: Run, recorded: list[dict[str, Any]], chain: Any, store: IngestStore
) -> None:
    signature, other = (recorded[n]["transaction"]["signatures"][0] for n in (3, 4))
    whole = chain.bodies[signature]
    chain.bodies[signature] = chain.bodies[other]
    await run(lambda: store.progress().owed == 1 and store.progress().coverage >= 0)
    assert signature not in {fact.signature for fact in program_facts(store)}
    chain.bodies[signature] = whole
    await run(lambda: store.progress().owed == 0)
    assert len(program_facts(store)) == EVENTS


async def test_the_place_in_the_block_comes_from_the_block_where_the_node_does_not_tell(
    run: Run, recorded: list[dict[str, Any]], chain: Any, store: IngestStore
) -> None:
    slot = recorded[3]["slot"]
    chain.history.insert(0, (slot, "a signature of another program"))
    chain.bodies["a signature of another program"] = json.dumps(
        recorded[3]
        | {
            "transaction": {
                "signatures": ["a signature of another program"],
                "message": {"accountKeys": ["payer"], "instructions": []},
            },
            "meta": {"err": None, "logMessages": [], "innerInstructions": []},
        }
    ).encode()
    await run(lambda: store.progress().coverage == chain.finalized)
    indexes = {fact.slot: fact.transaction_index for fact in program_facts(store)}
    assert indexes.pop(slot) == 1
    assert set(indexes.values()) == {0}


async def test_a_chain_that_falters_is_waited_for(
    run: Run, recorded: list[Any], chain: Any, store: IngestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, failures = chain.tip, iter([ChainUnavailable("getSlot", ["down"]), RpcRefused("node", "getSlot", -1, "no")])

    async def faltering(address: str, limit: int) -> Any:
        for failure in failures:
            raise failure
        return await whole(address, limit)

    monkeypatch.setattr(chain, "tip", faltering)
    await run(lambda: store.progress().coverage == chain.finalized)
    assert len(program_facts(store)) == EVENTS


async def test_a_history_without_its_beginning_is_stored_but_never_called_complete(
    run: Run, recorded: list[dict[str, Any]], chain: Any, store: IngestStore
) -> None:
    chain.pruned_below, chain.authority_exists = recorded[1]["slot"], True
    await run(lambda: store.progress().owed == 0 and len(program_facts(store)) == EVENTS - 2)
    assert store.progress().coverage == -1
    chain.pruned_below = 0
    await run(lambda: store.progress().coverage == chain.finalized)
    assert len(program_facts(store)) == EVENTS


def test_a_walk_that_waits_for_proof_asks_less_and_less_often_and_says_so_however_much_is_going_on(
    make_ingest: Callable[[], Ingest], recorded: list[dict[str, Any]], chain: Any
) -> None:
    chain.pruned_below, chain.authority_exists = recorded[1]["slot"], True

    async def a_while() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(make_ingest().run(stop))
        for second in range(1, 13):
            await asyncio.sleep(1)
            names = {"signatures": [f"new{second}"]}
            slot = chain.finalized + second
            put(chain, recorded[-1] | {"slot": slot, "transaction": recorded[-1]["transaction"] | names})
        stop.set()
        await running

    with structlog.testing.capture_logs() as logs, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(a_while())
    assert sum(line["event"] == "appended" for line in logs) > 10
    waits = [line for line in logs if line["event"] == "walk_waits"]
    assert 5 < len(waits) < 15, "once for each of the growing delays, and while history was stored"
    assert (waits[0]["log_level"], waits[-1]["log_level"]) == ("info", "warning")
    assert waits[-1]["tries"] > LOUD_TRIES


async def test_what_shows_up_below_coverage_is_stored_and_said_aloud(
    run: Run, recorded: list[dict[str, Any]], chain: Any, store: IngestStore
) -> None:
    late = recorded[3]["transaction"]["signatures"][0]
    chain.hides = {late}
    with structlog.testing.capture_logs() as logs:
        await run(lambda: store.progress().coverage == chain.finalized)
        assert not [line for line in logs if line["log_level"] == "error"]
        chain.hides, chain.page_size = set(), 100
        await run(lambda: len(program_facts(store)) == EVENTS)
    (said,) = [line for line in logs if line["log_level"] == "error"]
    assert (said["event"], said["signature"], said["covered"]) == ("late_below_coverage", late, chain.finalized)


async def test_coverage_is_stated_at_produced_slots_only(
    run: Run, recorded: list[Any], chain: Any, store: IngestStore
) -> None:
    chain.skipped = {chain.finalized, chain.finalized - 1}
    await run(lambda: store.progress().coverage == chain.finalized - 2)


async def test_an_indexer_that_was_taken_over_stops_and_changes_nothing(
    make_ingest: Callable[[], Ingest], recorded: list[Any], store: IngestStore
) -> None:
    ingest = make_ingest()
    store.backend.release_lease()  # type: ignore[attr-defined]  # as if another host had the store's disk
    store.acquire_lease("another")
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(LeaseLost):
            await ingest.run(asyncio.Event())
    assert program_facts(store) == []


async def test_amounts_are_those_of_the_chain(run: Run, recorded: list[Any], store: IngestStore) -> None:
    await run(lambda: store.progress().coverage >= 0)
    (deposit,) = [fact for fact in program_facts(store) if isinstance(fact, Deposited)]
    assert deposit.total_balance == deposit.locked_balance + deposit.available_balance
    assert deposit.amount == deposit.available_balance
