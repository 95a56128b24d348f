"""The commands by which an operator looks into the projections, stops them, and goes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer
from msgspec import structs

from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.topics import topic_of
from projections.command_line import AsJson, Names, opened_store, operator_name, read_settings, this_process
from projections.errors import NothingParked
from projections.operating import Operator, parked_fact, parked_of, verify_live
from projections.progress import RebuildProgress
from projections.projection import Projection
from projections.registry import named
from projections.store import Catalog

One = Annotated[str, typer.Option("--projection", metavar="NAME", help="Which.")]
Reason = Annotated[str, typer.Option("--reason", help="Is recorded with who did it.")]
parked = typer.Typer(help="Vaults that wait because one of their events cannot be applied.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    for command in (verify, flip, rollback, drop, generations, pause, resume):
        app.command()(command)
    app.add_typer(parked, name="parked")


def verify(projection: Names = None, json: AsJson = False) -> None:
    """Compare the live read models with an independent fold of the event store, while they are written and read."""
    asyncio.run(_verify(named(projection), json))


async def _verify(projections: list[Projection], as_json: bool) -> None:
    settings = read_settings()
    facts = open_fact_reader(settings.event_store_url)
    try:
        async with opened_store(settings, create=False) as store:
            for projection in projections:
                with RebuildProgress(projection.name, as_json=as_json) as progress:
                    number, found = await verify_live(projection, facts, store, progress.report)
                said = {"projection": projection.name, "generation": number, "compared": found.compared}
                moved = f", {found.moved} changed too often to be compared" if found.moved else ""
                text = f"{projection.name}: {found.compared} documents of generation {number} are what the facts say"
                _show(said | {"moved": found.moved}, text + moved, as_json)
    finally:
        facts.close()


def flip(projection: One, json: AsJson = False) -> None:
    """Flip to the generation that `rebuild --no-flip` left: brought up to date and proved once more."""
    asyncio.run(_change(projection, json, _flip))


async def _flip(operator: Operator, projection: Projection) -> str:
    return f"generation {await operator.flip(projection)} is live"


def rollback(
    projection: One,
    although_behind: Annotated[bool, typer.Option(help="Even if that takes readers back.")] = False,
    json: AsJson = False,
) -> None:
    """Go back to the generation that was live before the last flip."""

    async def roll_back(operator: Operator, projection: Projection) -> str:
        return f"generation {await operator.roll_back(projection, although_behind=although_behind)} is live again"

    asyncio.run(_change(projection, json, roll_back))


def drop(projection: One, generation: Annotated[int, typer.Option(min=1)], json: AsJson = False) -> None:
    """Drop a kept generation before its grace is over."""

    async def drop_it(operator: Operator, projection: Projection) -> str:
        await operator.drop(projection, generation)
        return f"generation {generation} is gone"

    asyncio.run(_change(projection, json, drop_it))


def pause(projection: One, reason: Reason, json: AsJson = False) -> None:
    """Have the projector apply nothing until `resume`; what there is goes on being read."""

    async def pause_it(operator: Operator, projection: Projection) -> str:
        await operator.pause(projection, reason)
        return "paused"

    asyncio.run(_change(projection, json, pause_it, exclusive=False))


def resume(projection: One, json: AsJson = False) -> None:
    """Have a paused projector go on."""

    async def resume_it(operator: Operator, projection: Projection) -> str:
        await operator.resume(projection)
        return "resumed"

    asyncio.run(_change(projection, json, resume_it, exclusive=False))


def generations(projection: Names = None, json: AsJson = False) -> None:
    """List the generations of each projection: building, ready, live, kept."""
    asyncio.run(_generations(named(projection), json))


async def _generations(projections: list[Projection], as_json: bool) -> None:
    async with opened_store(read_settings(), create=False) as store:
        catalog = await store.catalog()
    found = [one for projection in projections for one in _told(catalog, projection)]
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    for one in [] if as_json else found:
        typer.echo(f"{one['projection']:<18} {one['generation']:>4}  {one['state']:<8} since {one['since']}")


def _told(catalog: Catalog, projection: Projection) -> list[dict[str, Any]]:
    return [
        {
            "projection": projection.name,
            "generation": entry.number,
            "version": entry.version,
            "state": entry.state,
            "since": datetime.fromtimestamp(entry.since_s, UTC).isoformat(timespec="seconds"),
        }
        for entry in catalog.of(projection.name)
    ]


@parked.command("list")
def parked_list(projection: Names = None, json: AsJson = False) -> None:
    """List the vaults that wait, with the event that stops each."""
    asyncio.run(_parked_list(named(projection), json))


async def _parked_list(projections: list[Projection], as_json: bool) -> None:
    found: list[dict[str, Any]] = []
    async with opened_store(read_settings(), create=False) as store:
        for projection in projections:
            waiting = await parked_of(store, projection)
            found += [{"projection": projection.name, **structs.asdict(one)} for one in waiting]
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    for one in [] if as_json else found:
        typer.echo(f"{one['projection']}: {one['vault']} waits from position {one['position']} on: {one['reason']}")


@parked.command("show")
def parked_show(projection: One, vault: str) -> None:
    """Show the event that stops a vault, as JSON."""
    asyncio.run(_parked_show(named([projection])[0], vault))


async def _parked_show(projection: Projection, vault: str) -> None:
    settings = read_settings()
    facts = open_fact_reader(settings.event_store_url)
    try:
        async with opened_store(settings, create=False) as store:
            one = next((one for one in await parked_of(store, projection) if one.vault == vault), None)
        if one is None:
            raise NothingParked(projection.name, vault)
        fact = parked_fact(facts, one).fact
        said = {"parked": one, "topic": topic_of(fact), "fact": structs.asdict(fact)}
        typer.echo(msgspec.json.format(msgspec.json.encode(said), indent=2).decode())
    finally:
        facts.close()


@parked.command("retry")
def parked_retry(projection: One, json: AsJson = False) -> None:
    """Have the projector try again what is parked."""

    async def retry(operator: Operator, projection: Projection) -> str:
        return f"{await operator.retry(projection)} vaults are tried again"

    asyncio.run(_change(projection, json, retry, exclusive=False))


@parked.command("discard")
def parked_discard(projection: One, vault: str, reason: Reason, json: AsJson = False) -> None:
    """Give up the event that stops a vault: it is left out there, for good, by rebuilds too."""

    async def discard(operator: Operator, projection: Projection) -> str:
        given_up = await operator.discard(projection, vault, reason)
        return f"the event at position {given_up.position} is left out of {vault}"

    asyncio.run(_change(projection, json, discard, exclusive=False))


Change = Callable[[Operator, Projection], Awaitable[str]]


async def _change(name: str, as_json: bool, change: Change, *, exclusive: bool = True) -> None:
    """What a rebuild could be in the way of is `exclusive`."""
    (projection,) = named([name])
    async with _operating(projection, as_json, exclusive=exclusive) as operator:
        done = await change(operator, projection)
    _show({"projection": name, "done": done}, f"{name}: {done}", as_json)


@asynccontextmanager
async def _operating(projection: Projection, as_json: bool, *, exclusive: bool) -> AsyncIterator[Operator]:
    settings = read_settings()
    events = open_ingest_store(settings.event_store_url, create=False)
    try:
        async with opened_store(settings, create=False) as store:
            if exclusive:
                store.hold(f"{projection.name}.rebuild", this_process())
            with RebuildProgress(projection.name, as_json=as_json) as progress:
                yield Operator(operator_name(), events, store, settings.rebuild_batch, progress.report)
    finally:
        events.close()


def _show(said: dict[str, Any], text: str, as_json: bool) -> None:
    typer.echo(msgspec.json.encode(said).decode() if as_json else text)
