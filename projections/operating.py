"""What an operator does to projections beside following and rebuilding them: each change is a fact, appended first."""

import time
from collections.abc import Callable

from msgspec import structs

from eventstore.facts import ChainFact, EventDiscarded, Fact, OperatorActed
from eventstore.port import FactReader, IngestStore, StoredFact
from projections.catalog import change_catalog
from projections.errors import (
    GenerationBehind,
    GenerationGone,
    NoSuchGeneration,
    NothingParked,
    ReadModelsDiffer,
    VerificationFailed,
)
from projections.flip import flip, is_newest, with_live
from projections.live import open_live
from projections.loading import Loading, Report
from projections.projection import Projection
from projections.projector import check_identity
from projections.rebuild import prove
from projections.store import Catalog, Control, Generation, GenerationEntry, Parked, ReadModelStore, State
from projections.verify import Verified, verify_moving


class Operator:
    """Who does it, on which stores. `events` is the event store, opened for appending."""

    def __init__(self, name: str, events: IngestStore, store: ReadModelStore, batch: int, report: Report) -> None:
        self.events, self.store = events, store
        self._name, self._batch, self._report = name, batch, report

    def act(self, action: str, subject: str, reason: str | None = None, *more: Fact) -> None:
        act(self.events, self._name, action, subject, reason, *more)

    async def flip(self, projection: Projection) -> int:
        """To the generation that a rebuild proved and left; it is brought up to date and proved again."""
        entry = await self._newest(projection, "ready")
        generation = await self._opened(projection, entry)
        try:
            loading = await self._loading(projection, generation)
            await loading.catch_up("catching up")
            await prove([loading])
            self.act("flip", f"{projection.name} to generation {entry.number}")
            await flip(self.store, loading, entry.number, is_newest(projection.name, entry.number))
        finally:
            await generation.close()
        return entry.number

    async def roll_back(self, projection: Projection, *, although_behind: bool) -> int:
        """To the generation that was live before the last flip. It is brought up to date first, by the version that
        wrote it; another version raises GenerationBehind if it lags, unless told to go back `although_behind`."""
        entry = await self._newest(projection, "kept")
        generation = await self._opened(projection, entry)
        subject = f"{projection.name} to generation {entry.number}"

        def may(catalog: Catalog) -> bool:
            return catalog.entry(projection.name, entry.number) == entry

        try:
            if entry.version == projection.version:
                self.act("rollback", subject)
                await flip(self.store, await self._loading(projection, generation), entry.number, may)
            else:
                await self._refuse_if_behind(projection, entry, generation, although_behind)
                self.act("rollback", subject)
                await change_catalog(
                    self.store, lambda c: with_live(c, projection.name, entry.number) if may(c) else None
                )
        finally:
            await generation.close()
        return entry.number

    async def drop(self, projection: Projection, number: int) -> None:
        """A kept generation, before its grace is over."""
        name = projection.name
        entry = (await self.store.catalog()).entry(name, number)
        if entry is None or entry.state != "kept":
            raise NoSuchGeneration(name, f"{number} that is kept")
        self.act("drop", f"generation {number} of {name}")
        await self.store.drop_generation(projection, number)
        await change_catalog(
            self.store, lambda c: c.with_generations(name, [e for e in c.of(name) if e.number != number])
        )

    async def pause(self, projection: Projection, reason: str) -> None:
        self.act("pause", projection.name, reason)
        await self._control(projection, lambda control: structs.replace(control, paused=reason))

    async def resume(self, projection: Projection) -> None:
        self.act("resume", projection.name)
        await self._control(projection, lambda control: structs.replace(control, paused=None))

    async def retry(self, projection: Projection) -> int:
        """Has the projector try again what is parked, now or when it runs; returns how many vaults that is."""
        parked = await parked_of(self.store, projection)
        if parked:
            self.act("parked retry", projection.name)
            await self._control(projection, lambda control: structs.replace(control, retry=control.retry + 1))
        return len(parked)

    async def discard(self, projection: Projection, vault: str, reason: str) -> Parked:
        """Gives up the event that stops a vault: the projector leaves it out and goes on, and so do rebuilds."""
        parked = next((one for one in await parked_of(self.store, projection) if one.vault == vault), None)
        if parked is None:
            raise NothingParked(projection.name, vault)
        event = parked_fact(self.events, parked).fact
        assert isinstance(event, ChainFact), event
        discarded = EventDiscarded(
            signature=event.signature,
            slot=event.slot,
            key=parked.key,
            vault=vault,
            projection=projection.name,
            operator=self._name,
            reason=reason,
        )
        self.act("parked discard", f"{parked.key} of {vault} in {projection.name}", reason, discarded)
        return parked

    async def _control(self, projection: Projection, change: Callable[[Control], Control]) -> None:
        name = projection.name
        await change_catalog(self.store, lambda c: c.with_control(name, change(c.control(name))))

    async def _newest(self, projection: Projection, state: State) -> GenerationEntry:
        entries = [e for e in (await self.store.catalog()).of(projection.name) if e.state == state]
        if not entries:
            raise NoSuchGeneration(projection.name, f"that is {state}")
        return max(entries, key=lambda entry: entry.since_s)

    async def _opened(self, projection: Projection, entry: GenerationEntry) -> Generation:
        try:
            return await self.store.open_generation(projection, entry.number)
        except GenerationGone as gone:
            raise NoSuchGeneration(projection.name, f"{entry.number}: its documents are gone") from gone

    async def _loading(self, projection: Projection, generation: Generation) -> Loading:
        """Raises CheckpointUnknown."""
        checkpoint = await generation.checkpoint()
        check_identity(projection, self.events, checkpoint)
        return Loading(projection, self.events, generation, checkpoint, self._batch, self._report)

    async def _refuse_if_behind(
        self, projection: Projection, entry: GenerationEntry, generation: Generation, although_behind: bool
    ) -> None:
        live = (await self.store.catalog()).live(projection.name)
        if although_behind or live is None:
            return
        position, live_position = (await generation.checkpoint()).position, await self._position(projection, live)
        if position < live_position:
            raise GenerationBehind(projection.name, entry.number, position, live_position)

    async def _position(self, projection: Projection, entry: GenerationEntry) -> int:
        generation = await self._opened(projection, entry)
        try:
            return (await generation.checkpoint()).position
        finally:
            await generation.close()


def act(events: IngestStore, operator: str, action: str, subject: str, reason: str | None = None, *more: Fact) -> None:
    """Says that something is done, before it is done: no change goes unsaid. `more` is appended with it."""
    now_us = int(time.time() * 1_000_000)
    acted = OperatorActed(operator=operator, action=action, subject=subject, reason=reason, acted_at_us=now_us)
    events.append([acted, *more])


async def verify_live(
    projection: Projection, facts: FactReader, store: ReadModelStore, report: Report
) -> tuple[int, Verified]:
    """The live generation, while it is written and read. Raises ReadModelsDiffer with the first difference."""
    live = (await store.catalog()).live(projection.name)
    if live is None:
        raise NoSuchGeneration(projection.name, "that is live")
    generation = await open_live(store, projection, live.number)
    try:
        found = await verify_moving(projection, facts, generation, lambda done, of: report("verifying", done, of))
    except VerificationFailed as failed:
        raise ReadModelsDiffer(projection.name, live.number, failed.difference) from failed
    finally:
        await generation.close()
    return live.number, found


async def parked_of(store: ReadModelStore, projection: Projection) -> tuple[Parked, ...]:
    """Of the live generation; nothing if there is none."""
    live = (await store.catalog()).live(projection.name)
    if live is None:
        return ()
    generation = await open_live(store, projection, live.number)
    try:
        return (await generation.checkpoint()).parked
    finally:
        await generation.close()


def parked_fact(facts: FactReader, parked: Parked) -> StoredFact:
    """The fact that could not be applied."""
    return facts.read_after(parked.position - 1, 1)[0]
