"""vault-projector: the composition root and the command line of the projections."""

import asyncio
import gc
import signal
import time
from typing import Annotated, Any, Literal

import msgspec
import structlog
import typer

from eventstore.errors import EventStoreError, StoreMissing, StoreUnreachable
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import FactReader
from eventstore.process_logs import configure_logs
from projections.audit_command import audit
from projections.command_line import AsJson, Names, fail, opened_store, operator_name, read_settings, this_process
from projections.digest import digest as digest_of
from projections.errors import ProjectionError, ProjectorRunning, ReadModelsUnavailable
from projections.live import open_live
from projections.operating import act
from projections.operator_commands import add_to
from projections.progress import RebuildProgress
from projections.projection import Projection
from projections.projector import Pace, Projector
from projections.rebuild import Rebuild, Rebuilt, rebuild_all
from projections.registry import named, shares
from projections.replay_command import replay
from projections.settings import Settings
from projections.status import as_json, as_text, read_status
from projections.store import ReadModelStore
from projections.workers import end_with_parent, rebuild_by_workers

STORE_POLL_S = 0.2
"""While there is no event store yet, or another process runs a projection."""
YOUNG_OBJECTS = 100_000
"""Before the garbage collector looks at them: a rebuild makes many, and hardly any go in circles."""

Wish = Literal["flip", "leave", "diff", "cancel"]
log = structlog.get_logger()
app = typer.Typer(
    help="Event store to read models: keeps them up to date, and rebuilds and proves them beside the live ones.",
    epilog="Settings are environment variables with the prefix VAULT_; .env.example lists them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command()
def run(
    projection: Names = None,
    standby: Annotated[bool, typer.Option("--standby", help="Wait while another process runs one of them.")] = False,
) -> None:
    """Follow the event store until told to stop (SIGTERM or Ctrl-C).

    Waits for the event store if there is none yet. One process at a time may run a projection; another one is refused,
    or, on standby, goes on when that one ends, however it does.
    """
    settings = read_settings()
    configure_logs("projector", settings.log_level)
    asyncio.run(_run(settings, named(projection), standby=standby))


@app.command()
def rebuild(
    projection: Names = None,
    resume: Annotated[bool, typer.Option(help="Go on with what a rebuild before left.")] = False,
    cancel: Annotated[bool, typer.Option(help="Only drop what rebuilds left that did not flip.")] = False,
    no_flip: Annotated[bool, typer.Option("--no-flip", help="Leave it proved, for `flip`.")] = False,
    diff: Annotated[bool, typer.Option(help="Only tell how the live one differs from what a rebuild makes.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=8, help="Processes that share the projections.")] = 1,
    is_worker: Annotated[bool, typer.Option("--is-worker", hidden=True)] = False,
    json: AsJson = False,
) -> None:
    """Build a new generation beside the live one, verify it, and flip to it.

    The live one goes on being followed and read. The new one is compared, vault by vault, with an independent fold of
    the event store; a difference is named and nothing is flipped. The old generation is kept for
    VAULT_GENERATION_GRACE_S. Several projections are read for, and proved, together before any is flipped; with
    workers, those of each worker.
    """
    if cancel + no_flip + diff > 1 or (resume and (cancel or diff)):
        fail("--cancel and --diff stand alone; --resume and --no-flip may go together")
    settings = read_settings()
    configure_logs("projector", "warning")
    gc.set_threshold(YOUNG_OBJECTS)
    if is_worker:
        end_with_parent()
    if workers > 1 and not (cancel or diff):
        options = ["--resume"] * resume + ["--no-flip"] * no_flip
        asyncio.run(_rebuild_by_workers(shares(named(projection), workers), options, json, flips=not no_flip))
        return
    wish: Wish = "cancel" if cancel else "diff" if diff else "leave" if no_flip else "flip"
    asyncio.run(_rebuild(settings, named(projection), json, wish, resume=resume))


@app.command()
def status(json: AsJson = False) -> None:
    """Say how far each projection is, which generation is live, and whether a projector is alive."""
    asyncio.run(_status(read_settings(), json))


@app.command()
def digest(projection: Names = None, json: AsJson = False) -> None:
    """Print a digest of each live collection: the same for the same facts, in whatever order they arrived."""
    asyncio.run(_digest(read_settings(), named(projection), json))


async def _run(settings: Settings, projections: list[Projection], *, standby: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    facts = await _wait_for_facts(settings, stop)
    if facts is None:
        return
    pace = Pace(settings.projector_batch, settings.projector_poll_interval_s, settings.generation_grace_s)
    try:
        async with opened_store(settings, create=True) as store:
            for projection in projections:
                await _hold(store, projection, stop, standby=standby)
            async with asyncio.TaskGroup() as group:
                for projection in projections:
                    group.create_task(Projector(projection, facts, store, pace).run(stop))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        facts.close()
    log.info("stopped")


async def _hold(store: ReadModelStore, projection: Projection, stop: asyncio.Event, *, standby: bool) -> None:
    """On standby, until it is ours, or we are told to stop. Raises ProjectorRunning."""
    said = False
    while not stop.is_set():
        try:
            return store.hold(projection.name, this_process())
        except ProjectorRunning as running:
            if not standby:
                raise
            if not said:
                log.info("standing_by", projection=projection.name, reason=str(running))
            said = True
            await asyncio.sleep(STORE_POLL_S)
    return None


async def _wait_for_facts(settings: Settings, stop: asyncio.Event) -> FactReader | None:
    """None if told to stop before there was an event store. Raises StoreUnreachable only if it was never reached."""
    said = False
    while not stop.is_set():
        try:
            return open_fact_reader(settings.event_store_url)
        except (StoreMissing, StoreUnreachable) as error:
            if not said and isinstance(error, StoreUnreachable):
                raise
            if not said:
                log.info("waiting", reason=str(error))
            said = True
            await asyncio.sleep(STORE_POLL_S)
    return None


async def _rebuild(
    settings: Settings, projections: list[Projection], as_json_: bool, wish: Wish, *, resume: bool
) -> None:
    facts, began_s = open_fact_reader(settings.event_store_url), time.monotonic()
    rebuilt: dict[str, Rebuilt] = {}
    label = ", ".join(projection.name for projection in projections)
    try:
        async with opened_store(settings, create=True) as store:
            for projection in projections:
                store.hold(f"{projection.name}.rebuild", this_process())
            _say_that_it_is_done(settings, projections, wish)
            with RebuildProgress(label, as_json=as_json_) as progress:
                work = [Rebuild(one, facts, store, settings.rebuild_batch, progress.report) for one in projections]
                match wish:
                    case "cancel":
                        for one in work:
                            await one.cancel()
                    case "diff":
                        for one in work:
                            rebuilt[one.projection.name] = await _compare(one, one.projection, as_json_)
                    case _:
                        done = await rebuild_all(work, resume=resume, flips=wish == "flip")
                        rebuilt = {one.projection.name: found for one, found in zip(work, done, strict=True)}
    finally:
        facts.close()
    _report_rebuilt([_as_line(rebuilt)] if rebuilt else [], time.monotonic() - began_s, as_json_, wish)


async def _rebuild_by_workers(
    shared: list[list[Projection]], options: list[str], as_json_: bool, *, flips: bool
) -> None:
    """Each says itself that it is done, of its own projections."""
    began_s = time.monotonic()
    lines = await rebuild_by_workers(shared, options, as_json=as_json_)
    _report_rebuilt(lines, time.monotonic() - began_s, as_json_, "flip" if flips else "leave")


def _say_that_it_is_done(settings: Settings, projections: list[Projection], wish: Wish) -> None:
    """What only looks changes nothing."""
    if wish == "diff":
        return
    events = open_ingest_store(settings.event_store_url, create=False)
    try:
        action = {"cancel": "rebuild --cancel", "leave": "rebuild --no-flip", "flip": "rebuild"}[wish]
        act(events, operator_name(), action, ", ".join(projection.name for projection in projections))
    finally:
        events.close()


async def _compare(work: Rebuild, projection: Projection, as_json_: bool) -> Rebuilt:
    rebuilt, count, said = await work.compare()
    if as_json_:
        line = {"projection": projection.name, "documentsThatDiffer": count, "first": said}
        typer.echo(msgspec.json.encode(line).decode())
    else:
        typer.echo(f"{projection.name}: {count} documents of the live generation differ")
        for difference in said:
            typer.echo(f"  {difference}")
    return rebuilt


def _as_line(rebuilt: dict[str, Rebuilt]) -> dict[str, Any]:
    return {
        "events": max(one.events for one in rebuilt.values()),
        "generation": {name: one.generation for name, one in rebuilt.items()},
        "digests": {name: one.digest for name, one in rebuilt.items()},
    }


def _report_rebuilt(lines: list[dict[str, Any]], seconds: float, as_json_: bool, wish: Wish) -> None:
    """`lines` are of each worker."""
    became = {"flip": "is live", "leave": "is ready", "diff": "was compared and dropped", "cancel": ""}[wish]
    events = max((line["events"] for line in lines), default=0)
    generation = {name: number for line in lines for name, number in line["generation"].items()}
    digests = {name: digest for line in lines for name, digest in line["digests"].items()}
    if not as_json_:
        for name, number in generation.items():
            typer.echo(f"{name}: generation {number} {became}, digest {digests[name]}")
        if lines:
            typer.echo(f"{events:,} facts in {seconds:,.1f} s, {events / seconds:,.0f} a second", err=True)
        return
    line = {"events": events, "seconds": round(seconds, 3), "eventsPerSecond": round(events / seconds, 1)}
    typer.echo(msgspec.json.encode(line | {"generation": generation, "digests": digests}).decode())


async def _status(settings: Settings, as_json_: bool) -> None:
    facts = open_fact_reader(settings.event_store_url)
    try:
        async with opened_store(settings, create=False) as store:
            statuses = [await read_status(projection, facts, store) for projection in named(None)]
    finally:
        facts.close()
    typer.echo(as_json(statuses) if as_json_ else as_text(statuses))


async def _digest(settings: Settings, projections: list[Projection], as_json_: bool) -> None:
    digests: dict[str, dict[str, str | int]] = {}
    async with opened_store(settings, create=False) as store:
        for projection in projections:
            live = (await store.catalog()).live(projection.name)
            if live is None:
                raise ReadModelsUnavailable(settings.read_models_url, f"{projection.name} has no generation yet")
            generation = await open_live(store, projection, live.number)
            position = (await generation.checkpoint()).position
            digests[projection.name] = {"digest": await digest_of(projection, generation), "position": position}
            await generation.close()
    if as_json_:
        typer.echo(msgspec.json.encode(digests).decode())
    else:
        for name, found in digests.items():
            typer.echo(f"{name:<14} {found['digest']}  at position {found['position']}")


add_to(app)
app.add_typer(audit, name="audit")
app.command()(replay)


def main() -> None:
    try:
        app()
    except (ProjectionError, EventStoreError, OSError) as error:
        fail(str(error))
