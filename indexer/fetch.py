"""Owed signatures to evidence and facts: fetches, decodes, and calls nothing done that is not complete."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from eventstore.facts import Fact
from eventstore.port import Evidence, Owed
from indexer.chain import Chain, FetchedTransaction
from indexer.decode import Decoder
from indexer.errors import ChainUnavailable, RpcRefused
from indexer.transaction import Transaction, TransactionInvalid, parse_transaction, quality_of
from indexer.translate import Included, facts_of

log = structlog.get_logger()


class Fetched(NamedTuple):
    """An inclusion: that which was asked for, or, before finality, another one of its signature."""

    evidence: Evidence
    facts: list[Fact]


class Missed(NamedTuple):
    """Still owed."""

    owed: Owed
    reason: str
    retry_after_s: float = 0.0


class Absent(NamedTuple):
    """Not owed: the finalised chain does not have it in that slot."""

    owed: Owed


Result = Fetched | Missed | Absent


class Fetcher:
    """Bounded by the chain's own limit of concurrent requests."""

    def __init__(self, chain: Chain, decoder: Decoder) -> None:
        self._chain = chain
        self._decoder = decoder

    async def round(self, owed: Sequence[Owed], finalized_slot: int) -> list[Result]:
        """What became of each, and of other inclusions that were found instead. Never raises ChainUnavailable.

        Up to `finalized_slot` only what a node has finalised is taken, and what is not there is shown not to be.
        """
        blocks = _BlockOrder(self._chain)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._fetch(one, finalized_slot, blocks)) for one in owed]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [result for task in tasks for result in task.result()]

    async def _fetch(self, owed: Owed, finalized_slot: int, blocks: "_BlockOrder") -> list[Result]:
        is_final = owed.slot <= finalized_slot
        found: Fetched | Missed | None = None
        rest: Missed | Absent
        try:
            found = await self._find(owed, blocks, is_final=is_final)
            if isinstance(found, Fetched) and found.evidence.slot == owed.slot:
                return [found]
            missed = found if isinstance(found, Missed) else Missed(owed, f"it is in slot {found.evidence.slot}")
            rest = Absent(owed) if is_final and await self._is_absent(owed) else missed
        except TransactionInvalid as error:
            rest = Missed(owed, str(error))
        except (ChainUnavailable, RpcRefused) as error:
            rest = Missed(owed, str(error), getattr(error, "retry_after_s", 0.0))
        return [found, rest] if isinstance(found, Fetched) else [rest]

    async def _is_absent(self, owed: Owed) -> bool:
        return owed.signature not in (await self._chain.final_content(owed.slot)).signatures

    async def _find(self, owed: Owed, blocks: "_BlockOrder", *, is_final: bool) -> Fetched | Missed:
        fetched = await self._chain.transaction(owed.signature, final=is_final)
        if fetched is None:
            return Missed(owed, "the node does not have it yet")
        transaction = parse_transaction(fetched.body)
        if transaction.signature != owed.signature:
            return Missed(owed, f"{fetched.endpoint} answered with another transaction, {transaction.signature}")
        index = transaction.transaction_index
        if index is None:
            index = await blocks.index_of(owed.signature, transaction.slot)
        if index is None:
            return Missed(owed, f"block {transaction.slot} does not list it")
        return self._decode(owed, fetched, transaction, index, is_final=is_final)

    def _decode(
        self, owed: Owed, body: FetchedTransaction, transaction: Transaction, index: int, *, is_final: bool
    ) -> Fetched | Missed:
        decoded = self._decoder.decode(transaction)
        if decoded.incomplete is not None:
            return Missed(owed, decoded.incomplete)
        slot = transaction.slot
        block_time = owed.block_time if owed.slot == slot else transaction.block_time
        found = Included(owed.signature, slot, index, block_time, transaction.fee_payer)
        quality = quality_of(transaction)
        evidence = Evidence(owed.signature, slot, index, block_time, body.body, body.endpoint, is_final, quality)
        return Fetched(evidence, facts_of(decoded, found))


class _BlockOrder:
    """Execution order of the blocks that one round needs, for nodes that do not give a transaction's index."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._blocks: dict[int, asyncio.Task[list[str] | None]] = {}

    async def index_of(self, signature: str, slot: int) -> int | None:
        task = self._blocks.get(slot)
        if task is None:
            task = self._blocks[slot] = asyncio.create_task(self._chain.block_signatures(slot))
        signatures = await task
        return signatures.index(signature) if signatures and signature in signatures else None
