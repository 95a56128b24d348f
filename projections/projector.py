"""Keeps one projection's live generation up with the event store, through flips, until told to stop."""

import asyncio
import time
from typing import NamedTuple

import structlog
from msgspec import structs

from eventstore.backoff import delay_s
from eventstore.errors import StoreBusy, StoreUnreachable
from eventstore.identity import key_text
from eventstore.port import FactReader
from projections.catalog import begin_generation, change_catalog
from projections.chained import head_of
from projections.errors import CheckpointMoved, CheckpointUnknown, GenerationOfOtherVersion
from projections.fold import apply_batch, retry_parked
from projections.kept import KeptGenerations
from projections.live import open_live
from projections.projection import Projection
from projections.store import Catalog, Checkpoint, Control, Generation, GenerationEntry, ReadModelStore

BEAT_INTERVAL_S = 1.0
CATALOG_INTERVAL_S = 0.25
"""How soon a flip is noticed."""
HEAD_INTERVAL_S = 60.0
"""Between heads of the hash chain in the log."""
log = structlog.get_logger()


class Pace(NamedTuple):
    batch: int
    """Facts applied together."""
    poll_interval_s: float
    """Between looks at a store that has nothing new."""
    grace_s: float
    """How long a generation is kept after a flip, for readers that are in the middle of it."""
    taken_over_s: float = 2.0
    """How long a rebuild that took the checkpoint over is left alone to flip."""


class Projector:
    """One turn applies at most one batch. The caller holds the right to write the projection."""

    def __init__(self, projection: Projection, facts: FactReader, store: ReadModelStore, pace: Pace) -> None:
        self._projection, self._facts, self._store, self._pace = projection, facts, store, pace
        self._entry: GenerationEntry | None = None
        self._generation: Generation
        self._checkpoint: Checkpoint
        self._catalog_due_s = 0.0
        self._beat_due_s = 0.0
        self._head_due_s = 0.0
        self._said: Checkpoint | None = None
        self._taken_over_until_s: float | None = None
        self._control = Control()
        self._kept = KeptGenerations(projection, facts, store, pace.batch)

    async def run(self, stop: asyncio.Event) -> None:
        """Raises ProjectionError or EventStoreError when it cannot go on; what was applied stays applied.

        An event store that is out of reach, or busy, is waited for.
        """
        failures = 0
        try:
            while not stop.is_set():
                try:
                    more = await self._turn()
                except (StoreBusy, StoreUnreachable) as error:
                    wait_s = delay_s(failures)
                    failures += 1
                    log.warning("waiting", projection=self._projection.name, reason=str(error), retry_s=wait_s)
                    self._catalog_due_s = 0.0  # which also makes sure that it is the same store that comes back
                    await _wait(stop, wait_s)
                    continue
                failures = 0
                if more:
                    await asyncio.sleep(0)  # other projections, and signals, in the middle of a long way
                else:
                    await _wait(stop, self._pace.poll_interval_s)
        finally:
            await self._kept.close()
            if self._entry is not None:
                self._say_head()
                await self._generation.close()

    async def _turn(self) -> bool:
        """True if there may be more to do at once."""
        now_s = _now_s()
        if now_s >= self._catalog_due_s:
            self._catalog_due_s = now_s + CATALOG_INTERVAL_S
            await self._follow_catalog()
        if now_s >= self._beat_due_s:
            self._beat_due_s = now_s + BEAT_INTERVAL_S
            await self._generation.beat(time.time())
        if now_s >= self._head_due_s:
            self._head_due_s = now_s + HEAD_INTERVAL_S
            self._say_head()
        if self._taken_over_until_s is not None:
            if now_s < self._taken_over_until_s:
                return False
            assert self._entry is not None
            checkpoint = await self._claim(self._generation, self._entry)
            if checkpoint is None:
                self._catalog_due_s = 0.0
                return True
            self._checkpoint, self._taken_over_until_s = checkpoint, None
        if self._control.paused is not None:
            return False
        try:
            applied = await self._apply()
        except CheckpointMoved:
            # A rebuild took the checkpoint over to flip. If it does not in time, this generation is ours again.
            log.info("checkpoint_taken_over", projection=self._projection.name)
            self._taken_over_until_s = _now_s() + self._pace.taken_over_s
            return False
        return await self._kept.follow(self._checkpoint.position) or applied

    def _say_head(self) -> None:
        """Published, it is what an export can be verified with, whatever became of this machine since."""
        if self._checkpoint.chain_hash is not None and self._checkpoint != self._said:
            self._said = self._checkpoint
            log.info("hash_chain", projection=self._projection.name, head=str(head_of(self._checkpoint)))

    async def _apply(self) -> bool:
        """A batch, or once more what is parked. True if there was anything."""
        held = self._checkpoint
        if held.parked and held.retried < self._control.retry:
            retry = self._control.retry
            self._checkpoint = await retry_parked(self._generation, self._projection, self._facts, held, retry)
            return True
        batch = self._facts.read_after(held.position, self._pace.batch)
        if not batch:
            return False
        self._checkpoint = await apply_batch(self._generation, self._projection, self._facts, batch, held, parks=True)
        for parked in self._checkpoint.parked:
            if parked not in held.parked:
                vault, position = parked.vault, parked.position
                log.error(
                    "parked", projection=self._projection.name, vault=vault, position=position, reason=parked.reason
                )
        return True

    async def _follow_catalog(self) -> None:
        """Opens the live generation, making the first one; drops those whose grace is over."""
        catalog = await self._store.catalog()
        live = catalog.live(self._projection.name)
        while live is None:
            live = await self._make_first()
        while self._entry is None or live.number != self._entry.number:
            await self._open(live)
            self._taken_over_until_s = None
            live = (await self._store.catalog()).live(self._projection.name) or live
        check_identity(self._projection, self._facts, self._checkpoint)
        self._control = catalog.control(self._projection.name)
        await self._drop_old(catalog)
        await self._kept.follow_catalog(await self._store.catalog())

    async def _make_first(self) -> GenerationEntry | None:
        """None if a rebuild took it for a leftover. If a rebuild was quicker, its own, and ours is left to the next."""
        name = self._projection.name
        number = await begin_generation(self._store, self._projection)
        generation = await self._store.create_generation(self._projection, number)
        await generation.create_indexes()
        await generation.close()

        def go_live(catalog: Catalog) -> Catalog | None:
            ours = catalog.entry(name, number)
            if ours is None or catalog.live(name) is not None:
                return None
            first = structs.replace(ours, state="live", since_s=time.time())
            return catalog.with_generations(name, [first if e == ours else e for e in catalog.of(name)])

        return (await change_catalog(self._store, go_live)).live(name)

    async def _open(self, entry: GenerationEntry) -> None:
        if entry.version != self._projection.version:
            raise GenerationOfOtherVersion(self._projection.name, entry.number, entry.version, self._projection.version)
        generation = await open_live(self._store, self._projection, entry.number)
        checkpoint = await self._claim(generation, entry)
        if checkpoint is None:
            await generation.close()
            return
        if self._entry is not None:
            await self._generation.close()
        self._entry, self._generation, self._checkpoint = entry, generation, checkpoint
        self._beat_due_s = 0.0
        log.info("following", projection=self._projection.name, generation=entry.number, position=checkpoint.position)

    async def _claim(self, generation: Generation, entry: GenerationEntry) -> Checkpoint | None:
        """The checkpoint, to go on from: a rebuild that took it over before can flip no more, for it flips only the
        very catalog that it saw before. None if one has flipped already: what it left is not to be moved on, or
        readers that have not seen the flip yet would go back when they do."""
        name = self._projection.name

        def is_live(catalog: Catalog) -> bool:
            live = catalog.live(name)
            return live is not None and live.number == entry.number

        checkpoint = await generation.checkpoint()
        claimed = await change_catalog(
            self._store, lambda c: structs.replace(c, revision=c.revision + 1) if is_live(c) else None
        )
        return checkpoint if is_live(claimed) else None

    async def _drop_old(self, catalog: Catalog) -> None:
        name, oldest_s = self._projection.name, time.time() - self._pace.grace_s
        old = [e for e in catalog.of(name) if e.state == "kept" and e.since_s < oldest_s]
        if not old:
            return
        for entry in old:  # before the catalog forgets them, or nobody would
            await self._store.drop_generation(self._projection, entry.number)
            log.info("generation_dropped", projection=name, generation=entry.number)
        await change_catalog(self._store, lambda c: c.with_generations(name, [e for e in c.of(name) if e not in old]))


def check_identity(projection: Projection, facts: FactReader, checkpoint: Checkpoint) -> None:
    """Raises CheckpointUnknown unless the store holds, at the checkpoint's position, the fact that it names."""
    if checkpoint.key is None and checkpoint.position == 0:
        return
    key = facts.key_at(checkpoint.position)
    if key is None or key_text(key) != checkpoint.key:
        raise CheckpointUnknown(projection.name, checkpoint.position)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _wait(stop: asyncio.Event, delay_s: float) -> None:
    try:
        async with asyncio.timeout(delay_s):
            await stop.wait()
    except TimeoutError:
        pass
