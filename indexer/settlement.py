"""Finds out which inclusions became final, and proves of the others that the chain does not have them."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import structlog

from eventstore.port import Gap, Inclusion, IngestStore, Owed, Reverted
from indexer.chain import Chain, SignatureStatus, SlotContent
from indexer.errors import ChainUnavailable
from indexer.retries import Retries

BATCH = 256
"""getSignatureStatuses takes so many."""
LOUD_TRIES = 5
GAP_TRIES = 20
log = structlog.get_logger()


class Settlement:
    """That a node does not know a signature proves nothing: only the finalised content of its slot does."""

    def __init__(self, chain: Chain, store: IngestStore, epoch: int) -> None:
        self._chain = chain
        self._store = store
        self._epoch = epoch
        self._retries: Retries[Inclusion] = Retries(asyncio.get_running_loop().time)

    async def step(self) -> bool:
        """Settles a batch of what should be final by now; True if there may be more. Raises ChainUnavailable."""
        finalized_slot = await self._chain.slot("finalized")
        waiting = self._store.unsettled(finalized_slot, BATCH + len(self._retries))
        batch = [inclusion for inclusion in waiting if self._retries.is_due(inclusion)][:BATCH]
        if not batch:
            return False
        statuses = await self._chain.statuses([inclusion.signature for inclusion in batch])
        known = dict(zip(batch, statuses, strict=True))
        settled = [inclusion for inclusion in batch if _is_final_there(inclusion, known[inclusion])]
        reverted: list[Reverted] = []
        async for inclusion, content in self._contents(i for i in batch if not _is_final_there(i, known[i])):
            if inclusion.signature in content.signatures:
                settled.append(inclusion)
            else:
                reverted.append(Reverted(inclusion, content.blockhash))
        moved = [(r.inclusion.signature, known[r.inclusion]) for r in reverted]
        found = [Owed(signature, status.slot, None) for signature, status in moved if status and status.is_final]
        self._settle(settled, reverted, found)
        return len(batch) == BATCH

    async def _contents(self, suspects: Iterable[Inclusion]) -> AsyncIterator[tuple[Inclusion, SlotContent]]:
        """With what the finalised chain has in their slots, of those for which somebody tells."""
        contents: dict[int, SlotContent] = {}
        for inclusion in suspects:
            try:
                if inclusion.slot not in contents:
                    contents[inclusion.slot] = await self._chain.final_content(inclusion.slot)
            except ChainUnavailable as error:
                self._postpone(inclusion, error)
            else:
                yield inclusion, contents[inclusion.slot]

    def _settle(self, settled: list[Inclusion], reverted: list[Reverted], found: list[Owed]) -> None:
        if not settled and not reverted:
            return
        self._store.settle(self._epoch, settled, reverted, found)
        self._retries.forget([*settled, *(r.inclusion for r in reverted)])
        for (signature, slot), blockhash, _ in reverted:
            log.warning("transaction_reverted", signature=signature, slot=slot, blockhash=blockhash)

    def _postpone(self, inclusion: Inclusion, error: ChainUnavailable) -> None:
        tries = self._retries.postpone(inclusion, error.retry_after_s)
        level = log.info if tries < LOUD_TRIES else log.warning
        level("unsettled", signature=inclusion.signature, slot=inclusion.slot, reason=str(error), tries=tries)
        if tries == GAP_TRIES:
            gap = Gap(inclusion.slot, inclusion.slot, inclusion.signature, f"nobody tells if it is final: {error}")
            self._store.find_gaps(self._epoch, [gap])
            log.error("gap_found", **gap._asdict())


def _is_final_there(inclusion: Inclusion, status: SignatureStatus | None) -> bool:
    return status is not None and status.is_final and status.slot == inclusion.slot
