"""One generation: documents under the guard of their positions, pages by key, the checkpoint by compare-and-set."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from msgspec import Struct, structs

from projections.errors import CheckpointMoved, GenerationGone
from projections.projection import Projection
from projections.store import Checkpoint, Generation, Query, ReadModelStore, Row, Value

U64_MAX = 2**64 - 1
BIG = (0, 1, 9, 10, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, U64_MAX - 1, U64_MAX)


class Thing(Struct, frozen=True, kw_only=True):
    owner: str
    slot: int = 0
    amount: int = 0
    memo: str | None = None
    sum: int = 0


THINGS = Projection(
    name="things",
    version=1,
    document=Thing,
    touches=lambda fact: (),
    evolve=lambda document, id_, fact: document,
    accumulates=True,
    indexes=(("owner", "slot", "id"), ("owner", "amount", "id"), ("amount", "id")),
    amounts=frozenset({"amount", "sum"}),
)


@pytest.fixture
async def generation(models: ReadModelStore) -> AsyncIterator[Generation]:
    generation = await models.create_generation(THINGS, 1)
    await generation.create_indexes()
    yield generation
    await generation.close()


async def put(generation: Generation, documents: dict[str, Thing], *, position: int = 1) -> None:
    held = await generation.checkpoint()
    await generation.apply([Row(id_, position, document) for id_, document in documents.items()], held, held)


async def walk(
    generation: Generation, where: dict[str, Value], order: tuple[str, ...], page: int, down: bool
) -> list[str]:
    """Ids of all pages, each begun after the last document of the page before."""
    after: tuple[Any, ...] | None = None
    ids: list[str] = []
    while rows := await generation.find(Query(where, order, after, down, page)):
        assert len(rows) <= page
        ids += [row.id for row in rows]
        after = tuple(rows[-1].id if field == "id" else getattr(rows[-1].document, field) for field in order)
    return ids


async def test_a_document_is_got_by_its_id_as_it_was_applied_and_unknown_ids_are_left_out(
    generation: Generation,
) -> None:
    document = Thing(owner="ö", slot=3, amount=U64_MAX, memo=None, sum=10 * U64_MAX)
    await put(generation, {"a": document, "b": Thing(owner="o", memo="said")}, position=7)
    assert await generation.get(["a", "b", "c", "a"]) == {
        "a": Row("a", 7, document),
        "b": Row("b", 7, Thing(owner="o", memo="said")),
    }
    assert await generation.get([]) == {}
    assert await generation.count() == 2


async def test_many_ids_are_got_at_once(generation: Generation) -> None:
    await put(generation, {f"{n:05d}": Thing(owner="o", slot=n) for n in range(3_000)})
    found = await generation.get([f"{n:05d}" for n in range(4_000)])
    assert [row.document.slot for row in found.values()] == list(range(3_000))


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_pages_hold_every_document_once_in_order_both_ways(generation: Generation, page: int, down: bool) -> None:
    await put(generation, {f"id-{n:02d}": Thing(owner="o") for n in range(10)})
    ids = sorted((f"id-{n:02d}" for n in range(10)), reverse=down)
    assert await walk(generation, {}, ("id",), page, down) == ids


@pytest.mark.parametrize("down", [False, True])
async def test_ties_in_order_are_broken_by_the_id_and_never_lost_between_pages(
    generation: Generation, down: bool
) -> None:
    await put(generation, {f"id-{n:02d}": Thing(owner="o", slot=n // 4) for n in range(12)})
    ids = sorted((f"id-{n:02d}" for n in range(12)), reverse=down)
    assert await walk(generation, {"owner": "o"}, ("slot", "id"), 3, down) == ids


async def test_only_documents_that_equal_what_is_asked_are_found(generation: Generation) -> None:
    await put(generation, {"a": Thing(owner="x"), "b": Thing(owner="y"), "c": Thing(owner="x", slot=2)})
    assert await walk(generation, {"owner": "x"}, ("slot", "id"), 1, False) == ["a", "c"]
    assert await walk(generation, {"owner": "x", "slot": 2}, ("id",), 9, False) == ["c"]
    assert await walk(generation, {"owner": "z"}, ("slot", "id"), 9, False) == []


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("where", [{}, {"owner": "o"}])
async def test_amounts_order_as_numbers_up_to_the_largest_u64(
    generation: Generation, where: dict[str, Value], down: bool
) -> None:
    await put(generation, {f"id-{(7 * n) % 10}": Thing(owner="o", amount=amount) for n, amount in enumerate(BIG)})
    ids = [f"id-{(7 * n) % 10}" for n in range(len(BIG))]
    assert await walk(generation, where, ("amount", "id"), 2, down) == (ids[::-1] if down else ids)


@pytest.mark.parametrize("amount", BIG)
async def test_amounts_survive_and_are_found_by_equality_up_to_the_largest_u64(
    generation: Generation, amount: int
) -> None:
    await put(generation, {"a": Thing(owner="o", amount=amount), "b": Thing(owner="o", amount=5)})
    assert (await generation.get(["a"]))["a"].document.amount == amount
    (row,) = await generation.find(Query({"owner": "o", "amount": amount}, ("id",), None, False, 2))
    assert row.id == "a"


async def test_a_document_is_never_replaced_by_one_of_a_lower_or_the_same_position(generation: Generation) -> None:
    await put(generation, {"a": Thing(owner="o", slot=5)}, position=5)
    await put(generation, {"a": Thing(owner="o", slot=4), "b": Thing(owner="o", slot=4)}, position=4)
    await put(generation, {"a": Thing(owner="o", slot=55)}, position=5)
    assert [(r.position, r.document.slot) for r in (await generation.get(["a", "b"])).values()] == [(5, 5), (4, 4)]
    await put(generation, {"a": Thing(owner="p", slot=6)}, position=6)
    assert await walk(generation, {"owner": "p"}, ("slot", "id"), 9, False) == ["a"]
    assert await walk(generation, {"owner": "o", "slot": 5}, ("id",), 9, False) == []


@pytest.mark.parametrize("down", [False, True])
async def test_a_document_of_which_nothing_is_left_is_found_no_more_and_guards_its_position(
    generation: Generation, down: bool
) -> None:
    await put(generation, {id_: Thing(owner="o", slot=1) for id_ in "abc"}, position=3)
    held = await generation.checkpoint()
    await generation.apply([Row("b", 5, None)], held, held)
    assert await generation.get(["b"]) == {"b": Row("b", 5, None)}
    assert await generation.count() == 2
    assert await walk(generation, {"owner": "o"}, ("slot", "id"), 1, down) == (["c", "a"] if down else ["a", "c"])
    assert await walk(generation, {}, ("id",), 9, down) == (["c", "a"] if down else ["a", "c"])
    await put(generation, {"b": Thing(owner="p", slot=1)}, position=4)
    assert (await generation.get(["b"]))["b"].document is None
    await put(generation, {"b": Thing(owner="p", slot=2)}, position=6)
    assert await walk(generation, {"owner": "p"}, ("slot", "id"), 9, down) == ["b"]


async def test_a_new_generation_stands_before_the_first_fact_and_nobody_was_alive(generation: Generation) -> None:
    assert await generation.checkpoint() == Checkpoint()
    assert await generation.heartbeat_s() == 0
    assert await generation.count() == 0


async def test_the_checkpoint_is_moved_by_who_holds_it_and_by_nobody_else(
    generation: Generation, models: ReadModelStore
) -> None:
    first = Checkpoint()
    second = Checkpoint(position=9, key="key:1", slot=2**60, complete_through_slot=4, epoch=1)
    await generation.apply([], first, second)
    other = await models.open_generation(THINGS, 1)
    assert await other.checkpoint() == second
    with pytest.raises(CheckpointMoved, match="things, generation 1"):
        await other.apply([Row("a", 1, Thing(owner="o"))], first, Checkpoint(position=3))
    assert await other.checkpoint() == second
    await other.apply([], second, structs.replace(second, epoch=2))
    with pytest.raises(CheckpointMoved):
        await generation.apply([], second, structs.replace(second, position=10))
    await generation.apply([], structs.replace(second, epoch=2), Checkpoint(position=10))
    await other.close()


async def test_heartbeats_leave_the_checkpoint_alone(generation: Generation) -> None:
    await generation.beat(1_700_000_000.25)
    assert await generation.heartbeat_s() == 1_700_000_000.25
    await generation.apply([], Checkpoint(), Checkpoint(position=1))
    assert await generation.heartbeat_s() == 1_700_000_000.25


async def test_generations_are_kept_apart_and_survive_reopening(models: ReadModelStore, generation: Generation) -> None:
    second = await models.create_generation(THINGS, 2)
    await put(generation, {"a": Thing(owner="first")})
    await put(second, {"a": Thing(owner="second")})
    await second.close()
    second = await models.open_generation(THINGS, 2)
    assert (await second.get(["a"]))["a"].document.owner == "second"
    assert (await generation.get(["a"]))["a"].document.owner == "first"
    await second.close()


async def test_a_generation_that_was_dropped_is_gone_and_may_be_dropped_again(models: ReadModelStore) -> None:
    await (await models.create_generation(THINGS, 7)).close()
    await models.drop_generation(THINGS, 7)
    await models.drop_generation(THINGS, 7)
    with pytest.raises(GenerationGone, match="generation 7 of things"):
        await models.open_generation(THINGS, 7)


async def test_a_generation_that_is_created_is_empty_whatever_a_dead_process_left_there(models: ReadModelStore) -> None:
    left = await models.create_generation(THINGS, 3)
    await put(left, {"a": Thing(owner="o")})
    await left.close()
    new = await models.create_generation(THINGS, 3)
    assert await new.count() == 0
    await new.close()


async def test_indexes_may_be_made_after_the_load_and_twice(models: ReadModelStore) -> None:
    generation = await models.create_generation(THINGS, 4)
    await put(generation, {f"id-{n}": Thing(owner="o", slot=9 - n) for n in range(9)})
    before = await walk(generation, {"owner": "o"}, ("slot", "id"), 4, False)
    await generation.create_indexes()
    await generation.create_indexes()
    assert await walk(generation, {"owner": "o"}, ("slot", "id"), 4, False) == before == ids_down(9)
    await generation.close()


def ids_down(count: int) -> Sequence[str]:
    return [f"id-{n}" for n in reversed(range(count))]
