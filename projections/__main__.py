"""vault-projector: the composition root and the command line of the projections."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, NoReturn

import msgspec
import structlog
import typer
from pydantic import ValidationError

from eventstore.errors import EventStoreError, StoreMissing
from eventstore.open import open_fact_reader
from eventstore.port import FactReader
from eventstore.process_logs import configure_logs
from projections.digest import digest as digest_of
from projections.errors import ProjectionError, ReadModelsUnavailable
from projections.live import open_live
from projections.open import open_store
from projections.progress import RebuildProgress
from projections.projection import Projection
from projections.projector import Pace, Projector
from projections.rebuild import Rebuild, Rebuilt
from projections.registry import named
from projections.settings import Settings
from projections.status import as_json, as_text, read_status
from projections.store import ReadModelStore

STORE_POLL_S = 0.2
"""While there is no event store yet."""

log = structlog.get_logger()
app = typer.Typer(
    help="Event store to read models: keeps them up to date, and rebuilds and proves them beside the live ones.",
    epilog="Settings are environment variables with the prefix VAULT_; .env.example lists them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
Names = Annotated[
    list[str] | None,
    typer.Option("--projection", metavar="NAME", help="vaults or transactions; may be repeated. Default: all."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


@app.command()
def run(projection: Names = None) -> None:
    """Follow the event store until told to stop (SIGTERM or Ctrl-C).

    Waits for the event store if there is none yet. One process at a time may run a projection.
    """
    settings = _settings()
    configure_logs("projector", settings.log_level)
    asyncio.run(_run(settings, named(projection)))


@app.command()
def rebuild(projection: Names = None, json: AsJson = False) -> None:
    """Build a new generation beside the live one, verify it, and flip to it.

    The live one goes on being followed and read. The new one is compared, vault by vault, with an independent fold of
    the event store; a difference is named and nothing is flipped. The old generation is kept for
    VAULT_GENERATION_GRACE_S.
    """
    settings = _settings()
    configure_logs("projector", "warning")
    asyncio.run(_rebuild(settings, named(projection), json))


@app.command()
def status(json: AsJson = False) -> None:
    """Say how far each projection is, which generation is live, and whether a projector is alive."""
    asyncio.run(_status(_settings(), json))


@app.command()
def digest(projection: Names = None, json: AsJson = False) -> None:
    """Print a digest of each live collection: the same for the same facts, in whatever order they arrived."""
    asyncio.run(_digest(_settings(), named(projection), json))


async def _run(settings: Settings, projections: list[Projection]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    facts = await _wait_for_facts(settings, stop)
    if facts is None:
        return
    pace = Pace(settings.projector_batch, settings.projector_poll_interval_s, settings.generation_grace_s)
    try:
        async with _store(settings, create=True) as store:
            for projection in projections:
                store.hold(projection.name, f"{socket.gethostname()}, process {os.getpid()}")
            async with asyncio.TaskGroup() as group:
                for projection in projections:
                    group.create_task(Projector(projection, facts, store, pace).run(stop))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        facts.close()
    log.info("stopped")


async def _wait_for_facts(settings: Settings, stop: asyncio.Event) -> FactReader | None:
    """None if told to stop before there was an event store."""
    said = False
    while not stop.is_set():
        try:
            return open_fact_reader(settings.event_store_url)
        except StoreMissing as missing:
            if not said:
                log.info("waiting", reason=str(missing))
            said = True
            await asyncio.sleep(STORE_POLL_S)
    return None


async def _rebuild(settings: Settings, projections: list[Projection], as_json_: bool) -> None:
    facts, began_s = open_fact_reader(settings.event_store_url), time.monotonic()
    rebuilt: dict[str, Rebuilt] = {}
    try:
        async with _store(settings, create=True) as store:
            for projection in projections:
                store.hold(f"{projection.name}.rebuild", f"{socket.gethostname()}, process {os.getpid()}")
            for projection in projections:
                with RebuildProgress(projection.name, as_json=as_json_) as progress:
                    work = Rebuild(projection, facts, store, settings.projector_batch, progress.report)
                    rebuilt[projection.name] = await work.run()
    finally:
        facts.close()
    _report_rebuilt(rebuilt, time.monotonic() - began_s, as_json_)


def _report_rebuilt(rebuilt: dict[str, Rebuilt], seconds: float, as_json_: bool) -> None:
    if not as_json_:
        for name, one in rebuilt.items():
            typer.echo(f"{name}: generation {one.generation} is live, {one.events:,} facts, digest {one.digest}")
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
        async with _store(settings, create=False) as store:
            statuses = [await read_status(projection, facts, store) for projection in named(None)]
    finally:
        facts.close()
    typer.echo(as_json(statuses) if as_json_ else as_text(statuses))


async def _digest(settings: Settings, projections: list[Projection], as_json_: bool) -> None:
    digests: dict[str, dict[str, str | int]] = {}
    async with _store(settings, create=False) as store:
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


@asynccontextmanager
async def _store(settings: Settings, *, create: bool) -> AsyncIterator[ReadModelStore]:
    store = open_store(settings.read_models_url, create=create)
    try:
        yield store
    finally:
        await store.close()


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"VAULT_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        _fail("; ".join(problems) + " (see .env.example)")


def _fail(message: str) -> NoReturn:
    one_line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
    typer.echo(f"vault-projector: {one_line}", err=True)
    sys.exit(1)


def main() -> None:
    try:
        app()
    except (ProjectionError, EventStoreError, OSError) as error:
        _fail(str(error))


if __name__ == "__main__":
    main()
