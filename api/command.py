"""vault-api: the composition root and the command line of the API."""

import asyncio
import signal
import sys
from typing import NoReturn

import structlog
import typer
from aiohttp import web
from pydantic import ValidationError
from yarl import URL

from api.app import make_app
from api.settings import Settings, explained
from api.unreadable import protocols_of
from eventstore.process_logs import configure_logs
from projections.errors import ProjectionError
from projections.read_models import open_read_models

DRAIN_S = 5.0
"""How long requests in flight may take to end when the process is told to stop."""

log = structlog.get_logger()
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None)


@app.command(epilog=f"\b\nSettings, from the environment:\n{explained()}")
def serve() -> None:
    """Read models to HTTP: serves /v1, /health and /ready until told to stop (SIGTERM or Ctrl-C).

    Starts whether or not there are read models yet; until there are, /ready and /v1 answer 503.
    """
    settings = _settings()
    configure_logs("api", settings.log_level)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = make_app(open_read_models(settings.read_models_url), ready_max_age_s=settings.api_ready_max_age_s)
    runner = web.AppRunner(application, access_log=None, logger=log, shutdown_timeout=DRAIN_S)
    await runner.setup()
    try:
        server = await _listen(runner, settings)
        port = server.sockets[0].getsockname()[1]
        log.info("listening", url=str(URL.build(scheme="http", host=settings.api_host, port=port)))
        await stop.wait()
        server.close()
    finally:
        await runner.cleanup()
    log.info("stopped")


async def _listen(runner: web.AppRunner, settings: Settings) -> asyncio.Server:
    """Not a web.TCPSite: its connections answer what is no request in plain text."""
    try:
        loop = asyncio.get_running_loop()
        return await loop.create_server(protocols_of(runner, log), settings.api_host, settings.api_port)
    except (OSError, UnicodeError) as error:  # a host that is no name at all is a UnicodeError
        where = f"{settings.api_host}:{settings.api_port}"
        _fail(f"cannot listen on {where}: {error}; change VAULT_API_PORT or VAULT_API_HOST")


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"VAULT_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        _fail("; ".join(problems) + " (see .env.example)")


def _fail(message: str) -> NoReturn:
    typer.echo(f"vault-api: {message}", err=True)
    sys.exit(1)


def main() -> None:
    try:
        app()
    except (ProjectionError, OSError) as error:
        _fail(str(error))
