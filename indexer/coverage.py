"""Says, as a fact, through which finalised slot the store is complete."""

from eventstore.facts import CoverageAdvanced
from eventstore.port import IngestStore
from indexer.chain import SKIPPED_SLOTS_MAX, Block, Chain


async def advance_coverage(chain: Chain, store: IngestStore, epoch: int) -> int | None:
    """Appends CoverageAdvanced for the highest produced slot that is complete; None if coverage did not move.

    The frontier never passes a slot that was final when the walk below it began, so coverage is of finalised slots.
    """
    progress = store.progress()
    lowest = max(progress.coverage + 1, progress.complete_through - SKIPPED_SLOTS_MAX, 0)
    for slot in range(progress.complete_through, lowest - 1, -1):
        block = await chain.finalized_block(slot)
        if block is not None and block.block_time is not None:
            store.append([_coverage(slot, block)], epoch=epoch)
            return slot
    return None


def _coverage(slot: int, block: Block) -> CoverageAdvanced:
    return CoverageAdvanced(through_slot=slot, block_time=block.block_time, blockhash=block.blockhash)
