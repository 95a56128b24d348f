"""Whatever the order, the batches, the repetitions and the restarts: the same facts make the same documents."""

import asyncio
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eventstore.facts import ChainFact, Fact, TransactionFailed, TransactionReinstated, TransactionReverted
from eventstore.open import open_ingest_store
from eventstore.port import StoredFact
from projections.open import open_store
from projections.projection import Projection, at_rest
from projections.projector import Pace
from projections.registry import PROJECTIONS
from projections.transactions import TRANSACTIONS, document_id
from tests.unit.projections.following import append, follow, proved_digest, rebuild, rebuild_together
from tests.unit.projections.histories import (
    DISPUTES,
    KINDS,
    U64_MAX,
    Dispute,
    Disputes,
    Ledger,
    Step,
    with_rising_coverage,
)

amounts = st.integers(0, 1_000) | st.sampled_from([0, 1, 2**63 - 1, 2**63, U64_MAX]) | st.integers(0, U64_MAX)
steps = st.builds(Step, st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 3), amounts, st.booleans())
histories = st.lists(steps, min_size=1, max_size=25).map(lambda chosen: Ledger(vaults=4).take(chosen))

disputes = st.lists(st.builds(Dispute, st.sampled_from(DISPUTES), st.integers(0, 200), st.integers(-3, 9)), max_size=12)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Fact], list[Fact], list[int]]:
    """A history, the same facts in another order with some repeated, and how many arrive before each restart."""
    history = draw(histories)
    facts = [*history, *Disputes(history).take(draw(disputes))]
    arriving = draw(st.permutations(facts + draw(st.lists(st.sampled_from(facts), max_size=10))))
    return (
        with_rising_coverage(facts),
        with_rising_coverage(arriving),
        draw(st.lists(st.integers(1, 9), min_size=1, max_size=6)),
    )


async def projected(facts: Sequence[Fact], portions: Sequence[int], batch: int) -> dict[str, str]:
    """Digests after projecting: each portion by processes of its own, on stores opened anew. Proved, and rebuilt."""
    with TemporaryDirectory() as folder:
        events_url, models_url = f"sqlite:///{folder}/events.db", f"sqlite:///{folder}/read-models"
        rest = list(facts)
        for portion in [*portions, len(rest)]:
            some, rest = rest[:portion], rest[portion:]
            if not some:
                continue
            events, models = open_ingest_store(events_url), open_store(models_url, create=True)
            append(events, some)
            for projection in PROJECTIONS.values():
                await follow(projection, events, models, Pace(batch=batch, poll_interval_s=0.001, grace_s=600.0))
            await models.close()
            events.close()
        events, models = open_ingest_store(events_url), open_store(models_url, create=True)
        digests = {name: await proved_digest(p, events, models) for name, p in PROJECTIONS.items()}
        for name, projection in PROJECTIONS.items():
            assert (await rebuild(projection, events, models, batch=batch)).digest == digests[name]
        together = await rebuild_together(PROJECTIONS.values(), events, models, batch=batch)
        assert {name: rebuilt.digest for name, rebuilt in together.items()} == digests
        await models.close()
        events.close()
        return digests


@settings(max_examples=40, deadline=None)
@given(arrivals(), st.integers(1, 40))
def test_any_arrival_ends_in_the_digests_of_the_chains_order(
    drawn: tuple[list[Fact], list[Fact], list[int]], batch: int
) -> None:
    facts, arriving, portions = drawn
    in_order = asyncio.run(projected(facts, [], batch=1_000))
    assert asyncio.run(projected(arriving, portions, batch)) == in_order


def documents(projection: Projection, arriving: Sequence[Fact]) -> dict[str, dict[str, object]]:
    """Without a store or disputes: positions are places in the order of arrival, and left out."""
    made: dict[str, Any] = {}
    for position, fact in enumerate(dict.fromkeys(arriving), start=1):
        for id_ in projection.touches(fact):
            made[id_] = projection.evolve(made.get(id_), id_, StoredFact(position, 0, fact))
    left_out = projection.not_in_digest
    return {i: {k: v for k, v in at_rest(projection, d).items() if k not in left_out} for i, d in made.items()}


@settings(max_examples=300, deadline=None)
@given(histories.flatmap(lambda facts: st.tuples(st.just(facts), st.permutations(facts))))
def test_a_document_is_a_pure_function_of_the_set_of_facts(drawn: tuple[list[Fact], list[Fact]]) -> None:
    facts, arriving = drawn
    for projection in PROJECTIONS.values():
        assert documents(projection, arriving) == documents(projection, facts)


def inclusions(facts: Sequence[Fact]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((f.signature, f.slot) for f in facts if isinstance(f, ChainFact)))


@settings(max_examples=20, deadline=None)
@given(st.data(), histories, st.integers(1, 40))
def test_what_was_reverted_might_as_well_never_have_been_and_what_was_reinstated_was_always_there(
    data: st.DataObject, facts: list[Fact], batch: int
) -> None:
    fallen = data.draw(st.sets(st.sampled_from(inclusions(facts))))
    left = [f for f in facts if not isinstance(f, ChainFact) or (f.signature, f.slot) not in fallen]
    assume(left)
    reverts: list[Fact] = [TransactionReverted(signature=s, slot=n, times=1, blockhash=None) for s, n in fallen]
    again: list[Fact] = [TransactionReinstated(signature=s, slot=n, times=1) for s, n in fallen]
    arriving = data.draw(st.permutations(facts + reverts))
    reverted = asyncio.run(projected(arriving, [5, 7], batch))
    assert reverted["vaults"] == asyncio.run(projected(left, [], 1_000))["vaults"]
    reinstated = asyncio.run(projected(data.draw(st.permutations(arriving + again)), [9], batch))
    assert reinstated == asyncio.run(projected(facts, [], 1_000))


@settings(max_examples=20, deadline=None)
@given(st.data(), histories, st.integers(1, 40))
def test_failed_transactions_have_a_row_each_and_no_effect_on_anything_else(
    data: st.DataObject, facts: list[Fact], batch: int
) -> None:
    happened = [fact for fact in facts if not isinstance(fact, TransactionFailed)]
    failed = [fact for fact in facts if isinstance(fact, TransactionFailed)]
    assume(happened and failed)
    with_them = asyncio.run(projected(data.draw(st.permutations(facts)), [5], batch))
    without = asyncio.run(projected(happened, [], 1_000))
    assert [name for name in PROJECTIONS if with_them[name] != without[name]] == ["transactions", "audit_logs"]
    rows, others = documents(TRANSACTIONS, facts), documents(TRANSACTIONS, happened)
    assert [rows.pop(document_id(fact, ""))["status"] for fact in failed] == ["failed"] * len(failed)
    assert rows == others


@given(histories)
def test_the_vaults_hold_what_was_deposited_less_what_was_withdrawn(facts: list[Fact]) -> None:
    vaults = documents(PROJECTIONS["vaults"], facts).values()
    total = sum(int(str(v["total_balance"])) for v in vaults)
    totals = [(int(str(v["deposited_total"])), int(str(v["withdrawn_total"]))) for v in vaults]
    if all(max(both) < U64_MAX for both in totals):  # none was cut off
        assert total == sum(deposited - withdrawn for deposited, withdrawn in totals)
    for v in vaults:
        assert int(str(v["total_balance"])) == int(str(v["locked_balance"])) + int(str(v["available_balance"]))
