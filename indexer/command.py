"""vault-indexer: the composition root and the command line of the indexer."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import stamina
import structlog
import typer

from eventstore.errors import EventStoreError
from eventstore.open import open_ingest_store, open_ingest_store_to_look_at, public_url
from eventstore.port import Backfill, IngestStore
from eventstore.process_logs import configure_logs
from indexer import backfill as backfill_command
from indexer import store_commands
from indexer.attach import attach, compare
from indexer.chain import Chain, RpcChain
from indexer.command_line import SETTINGS, fail, read_decoder, read_program_id, read_settings, this_process
from indexer.decode import Decoder
from indexer.decode_command import run_decode
from indexer.endpoint import Endpoint
from indexer.errors import ChainUnavailable, IndexerError
from indexer.fetch import Fetcher
from indexer.hint import Hint, listen
from indexer.http_endpoint import HttpEndpoint, public_name
from indexer.idl import IdlInvalid
from indexer.idl_file import load_idl
from indexer.ingest import Ingest, Pace
from indexer.rpc import RpcClient
from indexer.settings import Settings
from indexer.settlement import Settlement
from indexer.status import Status, as_json, as_text, read_status
from indexer.sweep import Sweep

START_TIMEOUT_S = 10.0
"""How long the first calls to a node are tried again: node and indexer may be starting together."""

CLOSE_TIMEOUT_S = 1.0
"""How long the websocket's other side is waited for at the end."""

log = structlog.get_logger()
app = typer.Typer(
    help="Chain to event store: finds, fetches and decodes the vault program's events, and says how complete they are.",
    epilog=SETTINGS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


app.add_typer(store_commands.app)


@app.command(epilog=SETTINGS)
def run() -> None:
    """Follow the chain until told to stop (SIGTERM or Ctrl-C).

    Starts where it stopped before, and refuses a node that serves another chain than the store was filled from.
    """
    settings = read_settings()
    configure_logs("indexer", settings.log_level)
    stamina.instrumentation.set_on_retry_hooks([])  # each endpoint says itself what is wrong with it
    asyncio.run(_run(settings))


@app.command(epilog=SETTINGS)
def status(
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Say how far the store is, how far the chain, and what is owed."""
    settings = read_settings()
    configure_logs("indexer", "warning")
    with closing(open_ingest_store_to_look_at(settings.event_store_url)) as store:
        found = asyncio.run(_status(settings, store))
    typer.echo(as_json(found) if json else as_text(found))


@app.command(epilog=SETTINGS)
def backfill(
    from_slot: Annotated[int, typer.Option(min=0, help="Down to where to go; 0 is the beginning of history.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Go through the program's history once more, and queue what the store does not have.

    For after a gap, or when a node with more history was found. May run beside `run`, which fetches what is queued.
    Interrupted, it goes on where it was.
    """
    settings = read_settings()
    configure_logs("indexer", "warning")
    program_id = read_program_id(settings, load_idl(settings.idl))
    with closing(open_ingest_store(settings.event_store_url, create=False)) as store:
        try:
            found = asyncio.run(_backfill(settings, store, program_id, from_slot))
        except KeyboardInterrupt:
            fail("interrupted; the same command goes on from here", status=130)
    typer.echo(backfill_command.as_json(found) if json else backfill_command.as_text(found))


@app.command(epilog="It needs no settings: what it depends on are its arguments.")
def decode(
    idl: Annotated[Path, typer.Option(help="The program's IDL, of any Anchor version.")],
    program: Annotated[str, typer.Option(help="The program's address.")],
    source: Annotated[str, typer.Argument(metavar="[FILE|-]", help="NDJSON of getTransaction results.")] = "-",
) -> None:
    """Decode recorded transactions: getTransaction results in, one NDJSON line per event out.

    Exit status 1 if a line was no transaction; it is named on stderr and the rest goes on.
    """
    if source == "-":
        sys.exit(run_decode(idl, program, sys.stdin.buffer, sys.stdout.buffer, sys.stderr))
    with Path(source).open("rb") as file:
        sys.exit(run_decode(idl, program, file, sys.stdout.buffer, sys.stderr))


async def _run(settings: Settings) -> None:
    decoder = read_decoder(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with closing(open_ingest_store(settings.event_store_url)) as store:
        await _until(stop, _ingest(settings, store, decoder, stop))
        log.info("stopped", position=store.last_position())


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """What `work` waits for when `stop` is set is given up. It never waits within a write, so that each is whole."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.is_set():
        working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def _ingest(settings: Settings, store: IngestStore, decoder: Decoder, stop: asyncio.Event) -> None:
    epoch = store.acquire_lease(this_process())
    program_id, where = decoder.program_id, public_url(settings.event_store_url)
    async with _rpc(settings, settings.rpc_urls, lambda chain: attach(chain, store, where, program_id)) as rpc:
        async for attempt in stamina.retry_context(on=ChainUnavailable, timeout=START_TIMEOUT_S, attempts=None):
            with attempt:
                await rpc.vet_all()
        log.info("started", store=where, program=program_id, position=store.last_position())
        chain, hint = _chain(settings, rpc), Hint()
        ingest = Ingest(
            chain,
            store,
            epoch,
            Sweep(chain, store, epoch, program_id),
            Fetcher(chain, decoder),
            Settlement(chain, store, epoch),
            hint,
            Pace(settings.poll_interval_s, settings.coverage_interval_s, settings.resweep_interval_s),
        )
        await _follow(ingest, hint, settings, program_id, stop)


async def _follow(ingest: Ingest, hint: Hint, settings: Settings, program_id: str, stop: asyncio.Event) -> None:
    listener = None
    if settings.ws_url is not None:
        listener = asyncio.create_task(listen(settings.ws_url, program_id, settings.commitment, hint))
        listener.add_done_callback(_report_end_of_hints)
    try:
        await ingest.run(stop)
    finally:
        if listener is not None:
            listener.cancel()
            await asyncio.wait([listener], timeout=CLOSE_TIMEOUT_S)


def _report_end_of_hints(listener: "asyncio.Task[None]") -> None:
    """Only cancelling ends it as it should; without hints the indexer goes on by polling."""
    if not listener.cancelled() and listener.exception() is not None:
        log.error("hints_ended", reason=type(listener.exception()).__name__)


async def _backfill(settings: Settings, store: IngestStore, program_id: str, from_slot: int) -> Backfill | None:
    check = partial(compare, store=store, where=public_url(settings.event_store_url))
    async with _rpc(settings, settings.rpc_urls, check) as rpc:
        await rpc.vet_all()
        with backfill_command.BackfillProgress() as progress:
            chain = _chain(settings, rpc)
            return await backfill_command.run_backfill(chain, store, program_id, from_slot=from_slot, progress=progress)


async def _status(settings: Settings, store: IngestStore) -> Status:
    where = public_url(settings.event_store_url)
    async with AsyncExitStack() as held:
        chains: list[tuple[str, Chain]] = []
        for url in settings.rpc_urls:
            rpc = _rpc(settings, [url], lambda chain: compare(chain, store, where))
            chains.append((public_name(url), _chain(settings, await held.enter_async_context(rpc))))
        return await read_status(store, where, chains)


def _rpc(settings: Settings, urls: Sequence[str], check: Callable[[RpcChain], Awaitable[None]]) -> RpcClient:
    """`check` raises what keeps an endpoint that tells a chain from being used."""

    async def vet(endpoint: Endpoint) -> None:
        await check(_chain(settings, RpcClient([endpoint])))

    endpoints = [HttpEndpoint(url, timeout_s=settings.rpc_timeout_s) for url in urls]
    return RpcClient(endpoints, vet=vet, concurrency=settings.rpc_concurrency, per_second=settings.rpc_per_second)


def _chain(settings: Settings, rpc: RpcClient) -> RpcChain:
    return RpcChain(rpc, commitment=settings.commitment, max_transaction_version=settings.max_transaction_version)


def main() -> None:
    try:
        app()
    except (IndexerError, IdlInvalid, EventStoreError, OSError) as error:
        fail(str(error))
