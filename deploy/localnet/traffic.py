"""Users who deposit, withdraw, lock, unlock and transfer on a local node, at a given rate and by the rules."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import NamedTuple, Self, assert_never

from solders.instruction import Instruction
from solders.keypair import Keypair

from localnet import client, instructions, operations
from localnet.client import Confirmed
from localnet.errors import UnexpectedOutcome
from localnet.market import Market, User, open_market
from localnet.node import LocalNode
from localnet.operations import Close, Deposit, Open, Operation, Overdraw, Settle, Trader, Withdraw

IN_FLIGHT_MAX = 8


class Sent(NamedTuple):
    operation: Operation
    confirmed: Confirmed


class Traffic:
    """The seed decides the users' addresses and, whatever the timing, the sequence of operations.

    Entering the context deploys and sets up everything. Keys are kept in memory only.
    """

    def __init__(self, node: LocalNode, *, seed: int = 0, users: int = 5) -> None:
        assert users >= 2, "one alone has nobody to transfer to"
        self.market: Market
        self.users: list[User] = []
        self.traders = [Trader(number) for number in range(users)]
        """What the chain must say of each user when nothing is in flight."""
        self.transactions = 0
        """Confirmed ones that called the vault-manager, failed ones included."""
        self.failed = 0
        """Confirmed ones that failed, as they were meant to."""
        self.events: Counter[str] = Counter()
        """How many the vault-manager must have emitted so far, by name."""
        self._node = node
        self._seed = seed
        self._chance = random.Random(seed)
        self._last_of_user: dict[int, asyncio.Task[Sent]] = {}
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as entered:
            rpc = await entered.enter_async_context(client.connect(self._node.rpc_url))
            self.market = await open_market(self._node, rpc, self._keypair("mint"))
            self._count("AuthorityInitialized", "ProgramAuthorized")
            self.users = await asyncio.gather(*(self._new_user(trader) for trader in self.traders))
            self._exit = entered.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exit.aclose()

    async def step(self) -> Sent:
        """One operation, from choice to confirmation."""
        return await self._perform(self._plan())

    async def run(self, rate: float, stopping: asyncio.Event) -> None:
        """`rate` transactions a second, if the node can take them, until told to stop; what was sent is waited for.

        One user's operations wait for each other, those of different users do not.
        """
        in_flight = asyncio.Semaphore(IN_FLIGHT_MAX)
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            async with asyncio.TaskGroup() as group:
                while not stopping.is_set():
                    await in_flight.acquire()
                    task = self._start(self._plan(), group)
                    task.add_done_callback(lambda _: in_flight.release())
                    due = max(due + 1 / rate, loop.time() - 1)  # what a slow node cost is not made up for in a burst
                    await _until(due, stopping)
        except ExceptionGroup as group_error:
            raise group_error.exceptions[0] from None

    def _plan(self) -> Operation:
        operation = operations.choose(self._chance, self.traders)
        operations.apply(operation, self.traders)
        return operation

    def _start(self, operation: Operation, group: asyncio.TaskGroup) -> asyncio.Task[Sent]:
        users = operations.users_of(operation)
        earlier = [self._last_of_user[user] for user in users if user in self._last_of_user]
        task = group.create_task(self._perform_after(earlier, operation))
        self._last_of_user |= dict.fromkeys(users, task)
        return task

    async def _perform_after(self, earlier: Sequence[asyncio.Task[Sent]], operation: Operation) -> Sent:
        for task in earlier:
            await task
        return await self._perform(operation)

    async def _perform(self, operation: Operation) -> Sent:
        must_fail = isinstance(operation, Overdraw)
        signers = [self.market.admin]
        if not isinstance(operation, Settle):
            signers.append(self.users[operation.user].keypair)
        confirmed = await self.market.client.send([await self._instruction(operation)], signers, may_fail=must_fail)
        if (confirmed.error is not None) is not must_fail:
            raise UnexpectedOutcome(str(operation), confirmed.signature, confirmed.error)
        self.transactions += 1
        self.failed += must_fail
        self.events.update(_events_of(operation))
        return Sent(operation, confirmed)

    async def _instruction(self, operation: Operation) -> Instruction:
        user, mint = self.users[operation.user], self.market.mint
        match operation:
            case Deposit(amount=amount):
                return instructions.deposit(user.owner, mint, user.tokens, amount)
            case Withdraw(amount=amount) | Overdraw(amount=amount):
                return instructions.withdraw(user.owner, mint, user.tokens, amount)
            case Open(position=position, margin=margin):
                return instructions.open_position(user.owner, mint, position, margin)
            case Close(position=position):
                return instructions.close_position(user.owner, mint, position)
            case Settle(position=position, amount=amount, to=to):
                admin, receiver = self.market.admin.pubkey(), self.users[to].owner
                serial = await self.market.serial(user.owner, position)
                return instructions.settle_position(admin, user.owner, mint, position, serial, amount, receiver)
        assert_never(operation)

    async def _new_user(self, trader: Trader) -> User:
        user = await self.market.new_user(trader.wallet, self._keypair(f"user {trader.number}"))
        await self.market.new_vault(user)
        self._count("VaultInitialized")
        return user

    def _count(self, *events: str) -> None:
        """For a transaction of the set-up."""
        self.transactions += 1
        self.events.update(events)

    def _keypair(self, whose: str) -> Keypair:
        return Keypair.from_seed(hashlib.blake2b(f"{self._seed} {whose}".encode(), digest_size=32).digest())


def _events_of(operation: Operation) -> list[str]:
    match operation:
        case Deposit():
            return ["Deposited"]
        case Withdraw():
            return ["Withdrawn"]
        case Open():
            return ["CollateralLocked"]
        case Close(margin=margin):
            return ["CollateralUnlocked"] if margin else []
        case Settle():
            return ["CollateralUnlocked", "CollateralTransferred"]
        case Overdraw():
            return []
    assert_never(operation)


async def _until(due: float, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout_at(due):
            await stopping.wait()
    except TimeoutError:
        pass
