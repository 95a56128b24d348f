"""What the commands share: settings, the store of read models, options, and how they refuse."""

import getpass
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from projections.open import open_store
from projections.settings import Settings
from projections.store import ReadModelStore

Names = Annotated[
    list[str] | None,
    typer.Option("--projection", metavar="NAME", help="vaults, transactions, …; may be repeated. Default: all."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


def read_settings() -> Settings:
    """Ends the process with one line for all that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"VAULT_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        fail("; ".join(problems) + " (see .env.example)")


@asynccontextmanager
async def opened_store(settings: Settings, *, create: bool) -> AsyncIterator[ReadModelStore]:
    store = open_store(settings.read_models_url, create=create)
    try:
        yield store
    finally:
        await store.close()


def this_process() -> str:
    """For whoever finds what it holds."""
    return f"{socket.gethostname()}, process {os.getpid()}"


def operator_name() -> str:
    """Who runs the command, as the machine knows them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # there is no name for the number
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def fail(message: str) -> NoReturn:
    one_line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
    typer.echo(f"vault-projector: {one_line}", err=True)
    sys.exit(1)
