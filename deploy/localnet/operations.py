"""What users of the demo do next: chosen by chance among what is possible, computed without a chain."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

START_TOKENS = 10_000 * 10**6
"""Base units that each user begins with, outside the vault."""
LARGEST = 500 * 10**6
POSITIONS_MAX = 4
"""Open positions of one user."""


@dataclass
class Trader:
    """One user as the chain must have him once all that was planned is confirmed. Amounts in base units."""

    number: int
    """Place among the users."""
    wallet: int = START_TOKENS
    available: int = 0
    positions: dict[int, int] = field(default_factory=dict)
    """Margin by the position's number."""
    opened: int = 0
    deposited: int = 0
    withdrawn: int = 0

    @property
    def locked(self) -> int:
        return sum(self.positions.values())

    @property
    def total(self) -> int:
        return self.available + self.locked


@dataclass(frozen=True)
class Deposit:
    user: int
    amount: int


@dataclass(frozen=True)
class Withdraw:
    user: int
    amount: int


@dataclass(frozen=True)
class Open:
    """Locks the margin."""

    user: int
    position: int
    margin: int


@dataclass(frozen=True)
class Close:
    """Unlocks what is left of the margin, which may be nothing."""

    user: int
    position: int
    margin: int


@dataclass(frozen=True)
class Settle:
    """Unlocks a part of the margin and transfers it to another user's vault."""

    user: int
    position: int
    amount: int
    to: int


@dataclass(frozen=True)
class Overdraw:
    """A withdrawal of more than is there, which fails on the chain."""

    user: int
    amount: int


Operation = Deposit | Withdraw | Open | Close | Settle | Overdraw

WEIGHTS: dict[type[Operation], int] = {Deposit: 30, Withdraw: 20, Open: 20, Close: 12, Settle: 14, Overdraw: 4}


def choose(chance: random.Random, traders: Sequence[Trader]) -> Operation:
    """Depends on nothing but the state of `chance` and the traders. With two traders something is always possible."""
    options: list[Operation] = []
    while not options:
        options = list(_possible(chance, chance.choice(traders), traders))
    return chance.choices(options, [WEIGHTS[type(option)] for option in options])[0]


def apply(operation: Operation, traders: Sequence[Trader]) -> None:
    trader = traders[operation.user]
    match operation:
        case Deposit(amount=amount):
            trader.wallet -= amount
            trader.available += amount
            trader.deposited += amount
        case Withdraw(amount=amount):
            trader.wallet += amount
            trader.available -= amount
            trader.withdrawn += amount
        case Open(position=position, margin=margin):
            trader.available -= margin
            trader.positions[position] = margin
            trader.opened += 1
        case Close(position=position):
            trader.available += trader.positions.pop(position)
        case Settle(position=position, amount=amount, to=to):
            trader.positions[position] -= amount
            traders[to].available += amount
        case Overdraw():
            pass
        case _:
            assert_never(operation)


def users_of(operation: Operation) -> tuple[int, ...]:
    return (operation.user, operation.to) if isinstance(operation, Settle) else (operation.user,)


def _possible(chance: random.Random, trader: Trader, traders: Sequence[Trader]) -> Iterator[Operation]:
    user = trader.number
    if trader.wallet:
        yield Deposit(user, _up_to(chance, trader.wallet))
    if trader.available:
        yield Withdraw(user, _up_to(chance, trader.available))
        yield Overdraw(user, trader.available + _up_to(chance, LARGEST))
    if trader.available and len(trader.positions) < POSITIONS_MAX:
        yield Open(user, trader.opened, _up_to(chance, trader.available))
    if trader.positions:
        position, margin = chance.choice(list(trader.positions.items()))
        yield Close(user, position, margin)
        if margin:
            to = chance.choice([other.number for other in traders if other is not trader])
            yield Settle(user, position, _up_to(chance, margin), to)


def _up_to(chance: random.Random, most: int) -> int:
    """Now and then all of it, else small amounts more often than large ones."""
    return most if chance.random() < 0.05 else chance.randint(1, max(1, min(most, LARGEST) // chance.randint(1, 4)))
