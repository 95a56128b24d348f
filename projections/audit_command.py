"""vault-projector audit: whether an export is what its store said."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from eventstore.export import read_export
from eventstore.hash_chain import Head
from eventstore.verify import Verification, Verified
from projections.command_line import AsJson
from projections.progress import RebuildProgress

audit = typer.Typer(no_args_is_help=True, help="The hash chain over everything that was ever stored.")


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
