"""A chain in memory that tells the truth unless told to lie, and a real event store to fill from it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from eventstore.port import IngestStore
from eventstore.sqlite_store import SQLiteEventStore
from indexer.chain import (
    Account,
    Block,
    Commitment,
    FetchedTransaction,
    Page,
    SignatureInfo,
    SignatureStatus,
    SlotContent,
    Tip,
)
from indexer.errors import ChainUnavailable, CursorUnknown, RpcRefused


class FakeChain:
    """Implements Chain over a list of (slot, signature); `hides` makes the node forget signatures.

    It stands for two endpoints, which list one slot's signatures in opposite orders.
    """

    def __init__(self) -> None:
        self.genesis = "genesis"
        self.finalized = 100
        self.history: list[tuple[int, str]] = []
        self.bodies: dict[str, bytes] = {}
        self.skipped: set[int] = set()
        self.hides: set[str] = set()
        self.first_available = 0
        self.block_age = 0
        self.is_program = True
        self.authority_exists = False
        self.pruned_below = 0
        self.answering = 0
        """The endpoint that answers who does not ask for one."""
        self.down: set[int] = set()
        self.unasked: list[str] = []
        """Why other endpoints cannot be asked for a cursor."""
        self.page_size = 3
        self.calls: list[tuple[object, ...]] = []

    async def genesis_hash(self) -> str:
        return self.genesis

    async def slot(self, commitment: Commitment) -> int:
        return self.finalized if commitment == "finalized" else self.finalized + 31

    async def first_available_slot(self) -> int:
        return self.first_available

    async def account(self, address: str) -> Account:
        self.calls.append(("account", address))
        return Account(self.finalized, self.authority_exists, self.is_program)

    @property
    def sources(self) -> list[str]:
        return ["node"]

    async def tip(self, address: str, limit: int, *, source: int | None = None) -> Tip:
        self.calls.append(("tip",))
        return Tip(self.finalized, self._page(0, self.answering))

    async def older(self, address: str, before: str, limit: int, *, head: int, source: int | None = None) -> Page:
        self.calls.append(("older", before))
        if source in self.down or self.finalized < head:
            raise ChainUnavailable("getSignaturesForAddress", ["down"])
        source = self.answering if source is None else source
        names = [s for _, s in self._newest_first(source)]
        if before not in names:
            raise CursorUnknown(before, self.unasked)
        page = self._page(names.index(before) + 1, source)
        return page if page.signatures else page._replace(ends_at=self._newest_first(source)[-1][0])

    def _newest_first(self, source: int) -> list[tuple[int, str]]:
        listed = [(slot, s) for slot, s in self.history if s not in self.hides and slot >= self.pruned_below]
        in_slot = sorted(listed, key=lambda one: one[1], reverse=source == 0)
        return sorted(in_slot, key=lambda one: -one[0])

    def _page(self, start: int, source: int) -> Page:
        page = self._newest_first(source)[start : start + self.page_size]
        return Page([SignatureInfo(s, slot, 1_000 + slot) for slot, s in page], source)

    async def transaction(self, signature: str, *, final: bool) -> FetchedTransaction | None:
        self.calls.append(("transaction", signature))
        body = self.bodies.get(signature)
        return FetchedTransaction(body, "node") if body is not None and signature not in self.hides else None

    async def statuses(self, signatures: Sequence[str]) -> list[SignatureStatus | None]:
        slots = [self._slot_of(signature) for signature in signatures]
        return [None if slot is None else SignatureStatus(slot, slot <= self.finalized) for slot in slots]

    async def final_content(self, slot: int) -> SlotContent:
        if slot > self.finalized:
            raise ChainUnavailable("getBlock", [f"slot {slot} is not final"])
        return SlotContent(f"hash-{slot}", frozenset(s for at, s in self.history if at == slot))

    async def block_signatures(self, slot: int) -> list[str] | None:
        if slot in self.skipped:
            return None
        return [s for at, s in self.history if at == slot]

    async def finalized_block(self, slot: int) -> Block | None:
        if slot < self.first_available:
            raise RpcRefused("node", "getBlock", -32001, "Block cleaned up")
        return None if slot in self.skipped else Block(f"hash-{slot}", 1_000 + slot + self.block_age)

    def _slot_of(self, signature: str) -> int | None:
        return next((slot for slot, s in self.history if s == signature and s not in self.hides), None)


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[IngestStore]:
    store = SQLiteEventStore(tmp_path / "events.db")
    yield store
    store.close()


@pytest.fixture
def epoch(store: IngestStore) -> int:
    return store.acquire_lease("test")
