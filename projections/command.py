"""vault-projector: the composition root and the command line of the projections."""

import asyncio
import signal
import time
from typing import Annotated, Literal

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
from projections.errors import ProjectionError, ReadModelsUnavailable
from projections.live import open_live
from projections.operating import act
from projections.operator_commands import add_to
from projections.progress import RebuildProgress
from projections.projection import Projection
from projections.projector import Pace, Projector
from projections.rebuild import Rebuild, Rebuilt
from projections.registry import named
from projections.replay_command import replay
from projections.settings import Settings
from projections.status import as_json, as_text, read_status

STORE_POLL_S = 0.2
"""While there is no event store yet."""

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
def run(projection: Names = None) -> None:
    """Follow the event store until told to stop (SIGTERM or Ctrl-C).

    Waits for the event store if there is none yet. One process at a time may run a projection.
    """
    settings = read_settings()
    configure_logs("projector", settings.log_level)
    asyncio.run(_run(settings, named(projection)))


@app.command()
def rebuild(
    projection: Names = None,
    resume: Annotated[bool, typer.Option(help="Go on with what a rebuild before left.")] = False,
    cancel: Annotated[bool, typer.Option(help="Only drop what rebuilds left that did not flip.")] = False,
    no_flip: Annotated[bool, typer.Option("--no-flip", help="Leave it proved, for `flip`.")] = False,
    diff: Annotated[bool, typer.Option(help="Only tell how the live one differs from what a rebuild makes.")] = False,
    json: AsJson = False,
) -> None:
    """Build a new generation beside the live one, verify it, and flip to it.

    The live one goes on being followed and read. The new one is compared, vault by vault, with an independent fold of
    the event store; a difference is named and nothing is flipped. The old generation is kept for
    VAULT_GENERATION_GRACE_S.
    """
    if cancel + no_flip + diff > 1 or (resume and (cancel or diff)):
        fail("--cancel and --diff stand alone; --resume and --no-flip may go together")
    settings = read_settings()
    configure_logs("projector", "warning")
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


async def _run(settings: Settings, projections: list[Projection]) -> None:
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
                store.hold(projection.name, this_process())
            async with asyncio.TaskGroup() as group:
                for projection in projections:
                    group.create_task(Projector(projection, facts, store, pace).run(stop))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        facts.close()
    log.info("stopped")


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
    try:
        async with opened_store(settings, create=True) as store:
            for projection in projections:
                store.hold(f"{projection.name}.rebuild", this_process())
            _say_that_it_is_done(settings, projections, wish)
            for projection in projections:
                with RebuildProgress(projection.name, as_json=as_json_) as progress:
                    work = Rebuild(projection, facts, store, settings.projector_batch, progress.report)
                    if wish == "cancel":
                        await work.cancel()
                    elif wish == "diff":
                        rebuilt[projection.name] = await _compare(work, projection, as_json_)
                    else:
                        rebuilt[projection.name] = await work.run(resume=resume, flips=wish == "flip")
    finally:
        facts.close()
    _report_rebuilt(rebuilt, time.monotonic() - began_s, as_json_, wish)


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


def _report_rebuilt(rebuilt: dict[str, Rebuilt], seconds: float, as_json_: bool, wish: Wish) -> None:
    became = {"flip": "is live", "leave": "is ready", "diff": "was compared and dropped", "cancel": ""}[wish]
    if not as_json_:
        for name, one in rebuilt.items():
            typer.echo(f"{name}: generation {one.generation} {became}, {one.events:,} facts, digest {one.digest}")
        return
    events = max((one.events for one in rebuilt.values()), default=0)
    line = {
        "events": events,
        "seconds": round(seconds, 3),
        "eventsPerSecond": round(events / seconds, 1),
        "generation": {name: one.generation for name, one in rebuilt.items()},
        "digests": {name: one.digest for name, one in rebuilt.items()},
    }
    typer.echo(msgspec.json.encode(line).decode())


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
