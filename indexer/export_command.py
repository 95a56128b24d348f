"""`vault-indexer export` and `import`: a store as a file that anybody can check, and a store out of it."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import structlog

from eventstore.errors import ExportInvalid
from eventstore.export import EvidenceLine, Exported, Header, binding_of, read_export, write_export
from eventstore.hash_chain import Head
from eventstore.importing import import_export
from eventstore.port import Evidence, Imported, IngestStore, StoredEvidence
from indexer.decode import Decoder
from indexer.errors import IndexerError
from indexer.evidence import body_of, decode_evidence
from indexer.progress import CountProgress
from indexer.transaction import TransactionInvalid

log = structlog.get_logger()


class WrongDecoder(IndexerError):
    """The evidence is of another program than the IDL's."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"the export is of program {actual}, not {expected}: set VAULT_IDL and VAULT_PROGRAM_ID")


class Decoded(NamedTuple):
    """What importing evidence alone did, in transactions."""

    imported: int
    incomplete: int
    """Not imported: the decoder cannot be sure of them; a sweep fetches them."""


def run_export(store: IngestStore, path: Path | None, *, evidence_only: bool) -> Exported:
    """To standard output, or to a file, which is there only when it is whole."""
    with store.snapshot() as snapshot:
        lines = (0 if evidence_only else store.last_position()) + snapshot.evidence_count()
    with _target(path) as out, CountProgress("export", lines) as progress:
        told = 0

        def report(done: Exported) -> None:
            nonlocal told
            progress.advance(done.facts + done.evidence - told)
            told = done.facts + done.evidence

        return write_export(store, out, evidence_only=evidence_only, report=report)


@contextmanager
def _target(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def run_import(
    store: IngestStore, epoch: int, path: Path, decoder: Decoder, *, heads: Sequence[Head]
) -> Imported | Decoded:
    """Of a file that can be read twice; all of it or nothing, but for evidence alone, which is taken up piece by piece.

    Raises ExportInvalid, ImportRefused, WrongChain, WrongProgram.
    """
    with path.open("rb") as source:
        count = sum(1 for _ in source) - 2
    with path.open("rb") as source, CountProgress("import", count) as progress:
        first = next(read_export(source)).line
        source.seek(0)
        assert isinstance(first, Header), "read_export begins with one"
        if first.contents == "evidence":
            return _import_evidence(store, source, decoder, progress)
        return import_export(store, epoch, source, heads=heads, report=lambda _: progress.advance())


def _import_evidence(store: IngestStore, source: BinaryIO, decoder: Decoder, progress: CountProgress) -> Decoded:
    """As if each had just been fetched, from a node that had not finalised it: a sweep and settlement follow."""
    imported = incomplete = 0
    for numbered in read_export(source):
        line = numbered.line
        if isinstance(line, Header):
            binding = binding_of(line)
            if binding.program_id != decoder.program_id:
                raise WrongDecoder(decoder.program_id, binding.program_id)
            store.bind(binding)
        elif isinstance(line, EvidenceLine):
            try:
                is_complete = _append(store, decoder, line.stored())
            except (IndexerError, TransactionInvalid) as error:
                raise ExportInvalid(numbered.number, str(error)) from error
            imported, incomplete = imported + is_complete, incomplete + (not is_complete)
            progress.advance()
    return Decoded(imported, incomplete)


def _append(store: IngestStore, decoder: Decoder, stored: StoredEvidence) -> bool:
    body = body_of(stored)
    facts = decode_evidence(decoder, stored, body)
    if facts is None:
        log.warning("import_incomplete", signature=stored.signature, slot=stored.slot)
        return False
    evidence = Evidence(
        stored.signature,
        stored.slot,
        stored.transaction_index,
        stored.block_time,
        body,
        stored.endpoint,
        is_final=False,
        quality=stored.quality,
    )
    store.append(facts, [evidence])
    return True


def as_text(done: Exported | Imported | Decoded) -> str:
    match done:
        case Exported(facts, evidence, head):
            return f"exported {facts:,} facts and {evidence:,} transactions; head {head}"
        case Imported(facts, known, evidence):
            return f"imported {facts:,} facts and {evidence:,} transactions; {known:,} facts were there already"
        case Decoded(imported, incomplete):
            left = f"; {incomplete:,} are incomplete and left to `vault-indexer run`" if incomplete else ""
            return f"imported {imported:,} transactions, unsettled until `vault-indexer run` has swept{left}"


def as_json(done: Exported | Imported | Decoded) -> str:
    told = done._asdict()
    if isinstance(done, Exported):
        told["head"] = str(done.head)
    return msgspec.json.encode(told).decode()
