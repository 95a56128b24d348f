"""The commands that ask no node: what is in the store, in, out, and decoded again."""

import getpass
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from eventstore.hash_chain import Head
from eventstore.open import open_ingest_store, open_ingest_store_to_look_at
from eventstore.port import Gap
from eventstore.process_logs import configure_logs
from indexer import export_command, gaps_command
from indexer.command_line import SETTINGS, read_decoder, read_settings, this_process
from indexer.evidence import as_lines
from indexer.progress import CountProgress
from indexer.redecode import as_text, run_redecode

app = typer.Typer()
gaps = typer.Typer(no_args_is_help=True, help="What the store cannot answer for: list it, accept it.")
app.add_typer(gaps, name="gaps")


@gaps.command("list", epilog=SETTINGS)
def list_gaps(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Name what is missing and holds coverage, and what was accepted."""
    with closing(open_ingest_store_to_look_at(read_settings().event_store_url)) as store:
        typer.echo(gaps_command.listed(store, as_json=json))


@gaps.command("accept", epilog=SETTINGS)
def accept_gap(
    from_slot: Annotated[int, typer.Argument(min=0, help="The gap's first slot.")],
    through_slot: Annotated[int, typer.Argument(min=0, help="Its last slot.")],
    reason: Annotated[str, typer.Option(help="Why the statement of coverage may pass it: kept for ever.")],
    signature: Annotated[str | None, typer.Option(help="Of a gap that is one transaction.")] = None,
    operator: Annotated[str | None, typer.Option(help="Who accepts it; the name of this login if not given.")] = None,
) -> None:
    """Let coverage pass a gap. Every answer that spans it says so; should it be found after all, it is stored.

    May be done while the indexer runs.
    """
    gap = Gap(from_slot, through_slot, signature, reason)
    with closing(open_ingest_store(read_settings().event_store_url, create=False)) as store:
        typer.echo(gaps_command.accept(store, gap, operator=operator or getpass.getuser(), reason=reason))


@app.command(epilog=SETTINGS)
def export(
    target: Annotated[str, typer.Argument(metavar="[FILE|-]", help="Where to; - is standard output.")] = "-",
    evidence_only: Annotated[
        bool, typer.Option("--evidence-only", help="Transactions without what they said.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The last line, which names the head, as JSON.")] = False,
) -> None:
    """Write every fact, with its place in the hash chain, and all evidence as NDJSON, of one moment.

    May be done while the indexer runs. `vault-projector audit verify` checks the file against a published head.
    """
    with closing(open_ingest_store_to_look_at(read_settings().event_store_url)) as store:
        path = None if target == "-" else Path(target)
        done = export_command.run_export(store, path, evidence_only=evidence_only)
    typer.echo(export_command.as_json(done) if json else export_command.as_text(done), err=path is None)


@app.command("import", epilog=SETTINGS)
def import_(
    file: Annotated[Path, typer.Argument(help="What `vault-indexer export` wrote.")],
    head: Annotated[
        list[str] | None, typer.Option(help="Published, POSITION:HASH; may be given several times.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Fill an empty store, or one that holds a prefix of the export; all of it or nothing, after it was checked.

    Evidence alone is decoded, and unsettled until `run` has swept the chain again. No indexer may be running.
    """
    settings = read_settings()
    configure_logs("indexer", "warning")
    heads = [Head.parse(text) for text in head or []]
    decoder = read_decoder(settings)
    with closing(open_ingest_store(settings.event_store_url)) as store:
        epoch = store.acquire_lease(this_process())
        done = export_command.run_import(store, epoch, file, decoder, heads=heads)
    typer.echo(export_command.as_json(done) if json else export_command.as_text(done))


@app.command(epilog=SETTINGS)
def evidence(signature: Annotated[str, typer.Argument(help="Of a transaction, base58.")]) -> None:
    """Print a stored transaction as its node returned it: a JSON line for each slot that it was in.

    `vault-indexer decode` takes these lines.
    """
    with closing(open_ingest_store_to_look_at(read_settings().event_store_url)) as store:
        for line in as_lines(store, signature):
            typer.echo(line)


@app.command(epilog=SETTINGS)
def redecode(
    from_slot: Annotated[int, typer.Option(min=0, help="The first slot.")] = 0,
    through_slot: Annotated[int | None, typer.Option(min=0, help="The last slot; all if not given.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    reason: Annotated[str | None, typer.Option(help="Kept with the statement that it was done.")] = None,
    operator: Annotated[str | None, typer.Option(help="Who does it; the name of this login if not given.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Decode stored transactions again, with this version and VAULT_IDL, and append what comes out otherwise.

    That becomes a further revision, which stands in place of what was decoded before; nothing is rewritten. No node is
    asked. May be done while the indexer runs. Exit status 1 if something was left as it is that should be looked at.
    """
    settings = read_settings()
    configure_logs("indexer", "warning")
    decoder = read_decoder(settings)
    with closing(open_ingest_store(settings.event_store_url, create=False)) as store:
        with store.snapshot() as snapshot:
            count = snapshot.evidence_count()
        with CountProgress("redecode", count) as progress:
            done = run_redecode(
                store,
                decoder,
                from_slot=from_slot,
                through_slot=through_slot,
                operator=operator or getpass.getuser(),
                reason=reason,
                dry_run=dry_run,
                report=progress.advance,
            )
    typer.echo(msgspec.json.encode(done._asdict()).decode() if json else as_text(done, dry_run=dry_run))
    sys.exit(1 if done.emptied or done.incomplete else 0)
