"""`vault-indexer backfill`: goes through history once more and queues what the store lacks, beside the indexer."""

import msgspec

from eventstore.port import Backfill, IngestStore
from indexer.chain import Chain
from indexer.progress import ShownProgress
from indexer.resweep import Resweep


class BackfillProgress(ShownProgress):
    """By slots: how many signatures there are is not known before."""

    def __init__(self) -> None:
        super().__init__("backfill", 1.0)
        self._listed_before: int | None = None

    def report(self, at: Backfill) -> None:
        if self._listed_before is None:
            self._listed_before = at.listed
        elapsed_s = self.elapsed_s()
        rate = (at.listed - self._listed_before) / elapsed_s
        done = (at.head - at.slot) / max(at.head - at.from_slot, 1)
        said = f"slot {at.slot:,}, {at.listed:,} signatures, {at.queued:,} queued, {rate:,.0f}/s"
        left = f"{elapsed_s * (1 - done) / done:,.0f} s left" if done > 0 else "time left unknown"
        self.show(min(done, 1.0), said, f"{said}, {done:.0%}, {left}")


async def run_backfill(
    chain: Chain, store: IngestStore, program_id: str, *, from_slot: int, progress: BackfillProgress
) -> Backfill | None:
    """Down to `from_slot`, from where one with the same end was left. None where there is no history at all.

    Raises ChainUnavailable and CursorUnknown; what was done is kept, and the next one goes on.
    """
    kept = store.backfill()
    if kept is not None and kept.from_slot != from_slot:
        kept = None
    resweep = Resweep(chain, store, program_id, from_slot - 1, kept.cursor if kept else None)
    head, listed, queued = (kept.head, kept.listed, kept.queued) if kept else (None, 0, 0)
    at = kept
    more = True
    while more:
        more = await resweep.step()
        if resweep.slot is None or resweep.cursor is None:
            break
        head = resweep.head_slot if head is None else head
        at = Backfill(from_slot, head, resweep.slot, resweep.cursor, listed + resweep.listed, queued + resweep.queued)
        store.keep_backfill(at)
        progress.report(at)
    store.keep_backfill(None)
    return at


def as_text(done: Backfill | None) -> str:
    if done is None:
        return "there is no history of the program to go through"
    fetched = "; `vault-indexer run` fetches them" if done.queued else ""
    return f"{done.listed:,} signatures down to slot {done.slot:,}, {done.queued:,} were not known{fetched}"


def as_json(done: Backfill | None) -> str:
    if done is None:
        return '{"listed":0,"queued":0,"slot":null,"head":null}'
    told = {"listed": done.listed, "queued": done.queued, "slot": done.slot, "head": done.head}
    return msgspec.json.encode(told).decode()
