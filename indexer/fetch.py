"""Owed signatures to evidence and facts: fetches, decodes, and calls nothing done that is not complete."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from eventstore.facts import Fact
from eventstore.port import Evidence, Inclusion, Owed
from indexer.chain import Chain, FetchedTransaction
from indexer.decode import Decoder
from indexer.errors import ChainUnavailable, RpcRefused
from indexer.transaction import Transaction, TransactionInvalid, parse_transaction
from indexer.translate import Included, facts_of

log = structlog.get_logger()


class Fetched(NamedTuple):
    evidence: Evidence
    facts: list[Fact]
    settles: tuple[Inclusion, ...]
    """What is no longer owed: the inclusion that was asked for, and that which was found."""


class Missed(NamedTuple):
    """Still owed."""

    owed: Owed
    reason: str
    retry_after_s: float = 0.0


class Fetcher:
    """Bounded by the chain's own limit of concurrent requests."""

    def __init__(self, chain: Chain, decoder: Decoder) -> None:
        self._chain = chain
        self._decoder = decoder

    async def round(self, owed: Sequence[Owed]) -> list[Fetched | Missed]:
        """Results aligned with `owed`. Never raises ChainUnavailable: what failed is still owed."""
        blocks = _BlockOrder(self._chain)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._fetch(one, blocks)) for one in owed]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _fetch(self, owed: Owed, blocks: "_BlockOrder") -> Fetched | Missed:
        try:
            fetched = await self._chain.transaction(owed.signature)
            if fetched is None:
                return Missed(owed, "the node does not have it yet")
            transaction = parse_transaction(fetched.body)
            if transaction.signature != owed.signature:
                return Missed(owed, f"{fetched.endpoint} answered with another transaction, {transaction.signature}")
            index = transaction.transaction_index
            if index is None:
                index = await blocks.index_of(owed.signature, transaction.slot)
        except TransactionInvalid as error:
            return Missed(owed, str(error))
        except (ChainUnavailable, RpcRefused) as error:
            return Missed(owed, str(error), getattr(error, "retry_after_s", 0.0))
        if index is None:
            return Missed(owed, f"block {transaction.slot} does not list it")
        return self._decode(owed, fetched, transaction, index)

    def _decode(self, owed: Owed, body: FetchedTransaction, transaction: Transaction, index: int) -> Fetched | Missed:
        decoded = self._decoder.decode(transaction)
        if decoded.incomplete is not None:
            return Missed(owed, decoded.incomplete)
        block_time = owed.block_time if owed.slot == transaction.slot else transaction.block_time
        found = Included(owed.signature, transaction.slot, index, block_time, transaction.fee_payer)
        evidence = Evidence(owed.signature, transaction.slot, index, block_time, body.body, body.endpoint)
        settles = {Inclusion(owed.signature, owed.slot), Inclusion(owed.signature, transaction.slot)}
        return Fetched(evidence, facts_of(decoded, found), tuple(settles))


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
