"""The command line of `make run`: a local Solana node, users who trade on it, indexer, projector and API."""

import asyncio
import signal
import sys
import time
from typing import Annotated

import typer

from localnet import display, node_runtime
from localnet import settings as run_settings
from localnet.errors import LocalnetError
from localnet.stack import Stack

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.command()
def main(
    rate: Annotated[float, typer.Option(min=0.01, max=100, help="Transactions a second.")] = 2.0,
    users: Annotated[int, typer.Option(min=2, max=200, help="Users who trade.")] = 5,
    seed: Annotated[int, typer.Option(help="The same seed gives the same users and operations.")] = 0,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, envvar="VAULT_API_PORT", help="Of the API; 0 takes a free one.")
    ] = 8_000,
    duration: Annotated[float | None, typer.Option(min=1, help="Seconds after which to stop.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of text.")] = False,
    no_traffic: Annotated[bool, typer.Option("--no-traffic", help="Nobody trades.")] = False,
) -> None:
    """Start a local Solana node, users who deposit, withdraw, lock, unlock and transfer, and the whole service.

    Everything listens on this machine only. Each run is a new chain with an empty data folder under .run/, which
    holds the logs as well; the last five are kept. Ctrl-C stops everything, in order.

    The node gets slower with every transaction: after some thousand of them it takes a tenth of a second for one.

    With VAULT_RPC_URLS set, the same processes follow that cluster instead: no local node, no traffic, and all
    other VAULT_ settings as given (.env.example lists them).
    """
    started = time.monotonic()
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on there is something to be tidied up
        _run(started, rate, users, seed, port, duration, as_json=json, traffic=not no_traffic)
    except LocalnetError as error:
        typer.echo(f"localnet: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)
    except asyncio.CancelledError:  # a second signal, while everything was being stopped
        sys.exit(130)


def _run(
    started: float,
    rate: float,
    users: int,
    seed: int,
    port: int,
    duration: float | None,
    *,
    as_json: bool,
    traffic: bool,
) -> None:
    settings = run_settings.decide(
        rate=rate, users=users, seed=seed, port=port, duration_s=duration, as_json=as_json, traffic=traffic
    )
    with display.display(as_json=as_json) as shown:
        if not settings.cluster:
            node_runtime.install(node_runtime.find(), say=shown.say)
        asyncio.run(Stack(settings, shown, started).run())
        shown.say("stopped")
