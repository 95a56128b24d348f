"""vault-projector audit: who did what, and whether an export is what its store said."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from eventstore.export import read_export
from eventstore.hash_chain import Head
from eventstore.verify import Verification, Verified
from projections.audit_logs import AUDIT_LOGS
from projections.chained import head_of
from projections.command_line import AsJson, opened_store, read_settings
from projections.documents import AuditDocument
from projections.errors import ReadModelsUnavailable
from projections.live import open_live
from projections.progress import RebuildProgress
from projections.settings import Settings
from projections.store import Generation, Query
from projections.tabular import FormatOption, Table

PAGE = 1_000
COLUMNS = {
    "position": "recorded_position",
    "recordedAtUs": "recorded_at_us",
    "source": "source",
    "action": "action",
    "user": "user",
    "vault": "vault",
    "counterparty": "counterparty",
    "subject": "subject",
    "reason": "reason",
    "signature": "signature",
    "slot": "slot",
    "timestamp": "time_s",
    "success": "success",
    "error": "error",
    "hash": "hash",
}
"""Names of fields, by what they are called outside."""

audit = typer.Typer(no_args_is_help=True, help="The hash chain over everything that was ever stored.")


@audit.command()
def export(
    after_position: Annotated[int, typer.Option(min=0, help="Only what was stored after it.")] = 0,
    format_: FormatOption = "ndjson",
) -> None:
    """Write who did what to standard output, in the order in which it was stored, each with its hash in the chain.

    Through which position, with the head of the chain there, goes to standard error.
    """
    asyncio.run(_export(read_settings(), after_position, Table(list(COLUMNS), format_)))


async def _export(settings: Settings, after: int, table: Table) -> None:
    async with opened_store(settings, create=False) as store:
        live = (await store.catalog()).live(AUDIT_LOGS.name)
        if live is None:
            raise ReadModelsUnavailable(settings.read_models_url, "audit_logs has no generation yet")
        generation = await open_live(store, AUDIT_LOGS, live.number)
        try:
            checkpoint = await generation.checkpoint()
            through = checkpoint.position
            sys.stdout.write(table.head())
            with RebuildProgress("audit", as_json=False) as progress:
                async for document in _documents(generation, after, through):
                    sys.stdout.write(table.line([getattr(document, name) for name in COLUMNS.values()]))
                    progress.report("export", document.recorded_position, through)
            typer.echo(f"through position {through}, head {head_of(checkpoint)}", err=True)
        finally:
            await generation.close()


async def _documents(generation: Generation, after: int, through: int) -> AsyncIterator[AuditDocument]:
    place: tuple[int, str] = (after + 1, "")
    while page := await generation.find(Query({}, ("recorded_position", "id"), place, False, PAGE)):
        for row in page:
            if row.document.recorded_position > through:
                return
            yield row.document
        place = (page[-1].document.recorded_position, page[-1].id)


@audit.command()
def verify(
    export: Annotated[Path, typer.Argument(help="What `vault-indexer export` wrote.")],
    head: Annotated[list[str], typer.Option(help="Published: POSITION:HASH. Several narrow down where they differ.")],
    json: AsJson = False,
) -> None:
    """Find what was changed, left out, added or moved in an export. It needs no settings and no store.

    Exit status 0 if the export is what was published, 1 if not. Evidence is not in the chain: decode it to check it.
    """
    verification = Verification([Head.parse(text) for text in head])
    with export.open("rb") as source:
        of = sum(1 for _ in source)
    with export.open("rb") as source, RebuildProgress("audit", as_json=False) as progress:
        for numbered in read_export(source):
            verification.take(numbered.line)
            progress.report("verify", numbered.number, of)
    verified = verification.result()
    typer.echo(_as_json(verified) if json else _as_text(verified))
    sys.exit(1 if verified.findings else 0)


def _as_text(verified: Verified) -> str:
    counts = f"{verified.facts:,} facts and {verified.evidence:,} transactions, head {verified.head}"
    if not verified.findings:
        return f"{counts}: it is what was published"
    found = [f"position {position}: {what}" for position, what in verified.findings.items()]
    return "\n".join([*found, f"{counts}: it is not what was published"])


def _as_json(verified: Verified) -> str:
    told = {
        "facts": verified.facts,
        "evidence": verified.evidence,
        "head": str(verified.head),
        "findings": [{"position": position, "what": what} for position, what in verified.findings.items()],
    }
    return msgspec.json.encode(told).decode()
