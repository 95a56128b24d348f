"""vault-projector replay: the command line of it."""

import asyncio
import sys
from typing import Annotated

import typer

from eventstore.open import open_fact_reader
from projections.as_of import Moment, point_of, vaults_as_of
from projections.command_line import fail, opened_store, read_settings
from projections.errors import KnownLater, PointUnknown, ReadModelsUnavailable
from projections.live import open_live
from projections.replay import COLUMNS, moment_s, position_at, row_of
from projections.settings import Settings
from projections.tabular import FormatOption, Table
from projections.transactions import TRANSACTIONS


def replay(
    to_slot: Annotated[int | None, typer.Option(min=0, help="After everything in that slot.")] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Unix seconds, or ISO 8601 with a time zone.")] = None,
    at_signature: Annotated[str | None, typer.Option(help="After that transaction.")] = None,
    known_at: Annotated[
        str | None, typer.Option(metavar="POSITION|TIME", help="As it was known then: pos:N, or a time as for --at.")
    ] = None,
    format_: FormatOption = "ndjson",
) -> None:
    """Write the state of every vault at a point to standard output; without a point, as of now.

    How complete that is goes to standard error.
    """
    if sum(one is not None for one in (to_slot, at, at_signature)) > 1:
        fail("say one of --to-slot, --at and --at-signature")
    table = Table(COLUMNS, format_)
    settings = read_settings()
    try:
        time_s = None if at is None else moment_s(at)
        moment = Moment(to_slot, time_s, at_signature, _position(settings, known_at))
    except ValueError as error:
        fail(str(error))
    asyncio.run(_replay(settings, moment, table))


def _position(settings: Settings, known_at: str | None) -> int | None:
    if known_at is None:
        return None
    if known_at.startswith("pos:"):
        return int(known_at.removeprefix("pos:"))
    facts = open_fact_reader(settings.event_store_url)
    try:
        return position_at(facts, moment_s(known_at))
    finally:
        facts.close()


async def _replay(settings: Settings, moment: Moment, table: Table) -> None:
    async with opened_store(settings, create=False) as store:
        live = (await store.catalog()).live(TRANSACTIONS.name)
        if live is None:
            raise ReadModelsUnavailable(settings.read_models_url, "transactions has no generation yet")
        generation = await open_live(store, TRANSACTIONS, live.number)
        try:
            checkpoint = await generation.checkpoint()
            if moment.known_at is None:  # or what is applied meanwhile would be in some rows
                moment = moment._replace(known_at=checkpoint.position)
            elif moment.known_at > checkpoint.position:
                raise KnownLater(moment.known_at, checkpoint.position)
            point = await point_of(generation, moment)
            if point is None:
                raise PointUnknown(moment.signature or "")
            through = checkpoint.complete_through_slot
            typer.echo(
                f"complete through slot {through}" if through is not None else "nothing is covered yet", err=True
            )
            if checkpoint.parked:
                typer.echo(f"{len(checkpoint.parked)} vaults stand still: see vault-projector parked list", err=True)
            sys.stdout.write(table.head())
            async for state in vaults_as_of(generation, point, moment.known_at):
                sys.stdout.write(table.line(row_of(state)))
        finally:
            await generation.close()
