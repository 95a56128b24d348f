"""Whatever is interrupted, discovered-through never passes a signature that no walk has seen."""

import itertools
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from eventstore.open import open_ingest_store
from eventstore.port import Owed, Walk
from localpostgres.server import PostgresServer

FINALITY = 3
PAGE = 2


class Walking(RuleBasedStateMachine):
    """A chain that grows, a walker that reads a page at a time, and a process that dies between any two steps."""

    new_url: Callable[[], str]

    @initialize()
    def start(self) -> None:
        self.url = self.new_url()
        self.store = open_ingest_store(self.url)
        self.epoch = self.store.acquire_lease("test")
        self.chain: list[int] = []  # slots with one signature each, rising
        self.head = 0
        self.walks: list[Walk] = []

    @rule(gap=st.integers(1, 4), has_transaction=st.booleans())
    def chain_grows(self, gap: int, has_transaction: bool) -> None:
        self.head += gap
        if has_transaction:
            self.chain.append(self.head)

    @rule()
    def look_at_tip(self) -> None:
        self.step(self.store.next_walk(max(self.head - FINALITY, -1)))

    @rule(newest=st.booleans())
    def go_on_with_a_walk(self, newest: bool) -> None:
        if self.walks:
            self.step(self.walks.pop(-1 if newest else 0))

    @rule()
    def process_is_killed(self) -> None:
        self.store.close()
        self.store = open_ingest_store(self.url)
        self.epoch = self.store.acquire_lease("test")
        self.walks = list(reversed(self.store.progress().walks))

    def step(self, walk: Walk) -> None:
        below = int(walk.cursor) if walk.cursor is not None else self.head + 1
        page = [slot for slot in reversed(self.chain) if slot < below][:PAGE]
        met_floor = not page or page[-1] <= walk.floor
        found = [Owed(str(slot), slot, None) for slot in page if slot > walk.floor]
        cursor = str(page[-1]) if page else walk.cursor
        rest = self.store.record_page(self.epoch, walk, found, cursor, met_floor=met_floor)
        if not met_floor:
            self.walks.append(rest)

    @invariant()
    def everything_below_discovered_through_is_owed(self) -> None:
        if not hasattr(self, "store"):
            return
        owed = {o.slot for o in self.store.owed(10_000)}
        through = self.store.progress().discovered_through
        assert {slot for slot in self.chain if slot <= through} <= owed

    @invariant()
    def a_chain_that_rests_is_discovered_in_the_end(self) -> None:
        if not hasattr(self, "store") or self.walks:
            return
        assert self.store.progress().walks == ()

    def teardown(self) -> None:
        while self.walks:
            self.go_on_with_a_walk(newest=True)
        self.head += FINALITY
        self.look_at_tip()
        while self.walks:
            self.go_on_with_a_walk(newest=False)
        assert self.store.progress().discovered_through == self.head - FINALITY
        assert {o.slot for o in self.store.owed(10_000)} == set(self.chain)
        self.store.close()


def test_walks_on_sqlite_find_everything() -> None:
    with TemporaryDirectory() as folder:
        numbers = itertools.count()
        run(lambda: f"sqlite:///{Path(folder)}/{next(numbers)}.db", examples=100)


def test_walks_on_postgresql_find_everything(postgres: PostgresServer) -> None:
    run(postgres.new_database, examples=15)


def run(new_store_url: Callable[[], str], *, examples: int) -> None:
    class WalkingThere(Walking):
        new_url = staticmethod(new_store_url)

    run_state_machine_as_test(
        WalkingThere, settings=settings(max_examples=examples, stateful_step_count=40, deadline=None)
    )
