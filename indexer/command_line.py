"""What the commands share: settings, and how they refuse."""

import os
import socket
import sys
from typing import NoReturn

import typer
from pydantic import ValidationError

from indexer.decode import Decoder
from indexer.errors import IdlUnfit
from indexer.idl import Idl
from indexer.idl_file import load_idl
from indexer.settings import Settings
from indexer.translate import check_events

SETTINGS = "Settings are environment variables with the prefix VAULT_; .env.example lists them."


def read_settings() -> Settings:
    """Ends the process with one line for all that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"VAULT_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        fail("; ".join(problems) + " (see .env.example)")


def read_decoder(settings: Settings) -> Decoder:
    """Raises IdlInvalid and IdlUnfit."""
    idl = load_idl(settings.idl)
    program_id = read_program_id(settings, idl)
    check_events(idl, str(settings.idl))
    return Decoder(idl, program_id, event_sources=settings.event_sources)


def read_program_id(settings: Settings, idl: Idl) -> str:
    """Raises IdlUnfit."""
    program_id = settings.program_id or idl.address
    if program_id is None:
        raise IdlUnfit(str(settings.idl), "it names no program address, and VAULT_PROGRAM_ID is not set")
    if idl.address is not None and idl.address != program_id:
        raise IdlUnfit(str(settings.idl), f"it is of program {idl.address}, not {program_id}")
    return program_id


def fail(message: str, status: int = 1) -> NoReturn:
    typer.echo(f"vault-indexer: {message}", err=True)
    sys.exit(status)


def this_process() -> str:
    """For whoever finds what it holds."""
    return f"{socket.gethostname()}, process {os.getpid()}"
