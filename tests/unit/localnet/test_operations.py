"""What the users of the demo choose to do."""

import random
from collections import Counter

from localnet.operations import START_TOKENS, WEIGHTS, Operation, Overdraw, Settle, Trader, apply, choose, users_of


def play(seed: int, users: int, steps: int) -> tuple[list[Operation], list[Trader]]:
    chance, traders = random.Random(seed), [Trader(number) for number in range(users)]
    played = []
    for _ in range(steps):
        operation = choose(chance, traders)
        if isinstance(operation, Overdraw):
            assert operation.amount > traders[operation.user].available
        apply(operation, traders)
        played.append(operation)
        assert all(min(t.wallet, t.available, *t.positions.values(), 0) == 0 for t in traders)
    return played, traders


def test_the_same_seed_gives_the_same_operations() -> None:
    assert play(7, 5, 500) == play(7, 5, 500)
    assert play(7, 5, 500) != play(8, 5, 500)


def test_tokens_are_neither_made_nor_lost() -> None:
    _, traders = play(1, 4, 2_000)

    assert sum(trader.wallet + trader.total for trader in traders) == 4 * START_TOKENS


def test_the_first_operation_is_a_deposit_because_nothing_else_is_possible() -> None:
    for seed in range(50):
        [first], _ = play(seed, 2, 1)
        assert type(first).__name__ == "Deposit"


def test_every_kind_of_operation_happens_and_each_differs_from_zero() -> None:
    played, _ = play(3, 5, 1_000)

    assert Counter(type(operation) for operation in played).keys() == WEIGHTS.keys()
    assert all(getattr(operation, "amount", 1) > 0 for operation in played)


def test_a_settlement_goes_to_another_user() -> None:
    played, _ = play(3, 2, 1_000)

    settlements = [operation for operation in played if isinstance(operation, Settle)]
    assert settlements
    assert all(len(set(users_of(operation))) == 2 for operation in settlements)


def test_two_users_always_find_something_to_do() -> None:
    for seed in range(20):
        play(seed, 2, 1_000)
