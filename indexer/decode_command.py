"""`vault-indexer decode`: recorded transactions in, one a line; what a program said in them out, one event a line."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

import msgspec
from msgspec import UNSET, Struct, UnsetType

from indexer.decode import Decoded, Decoder, ProgramEvent, Undecoded
from indexer.idl_file import load_idl
from indexer.transaction import Executed, Natural, SignedMessage, TransactionInvalid, TransactionMeta

LINE_BYTES_MAX = 64 * 2**20


class Recorded(Executed, frozen=True, kw_only=True):
    slot: Natural | None = None
    """Recordings exist that have lost it."""


class _Line(Struct, frozen=True, gc=False):
    """Either has a result, or is one itself."""

    result: Recorded | UnsetType | None = UNSET
    slot: Natural | None = None
    meta: TransactionMeta | UnsetType | None = UNSET
    transaction: SignedMessage | UnsetType = UNSET


class NumberedLine(NamedTuple):
    number: int
    """From 1, blank lines counted."""
    content: bytes
    whole: bool


_line = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


def run_decode(idl_path: Path, program: str, source: BinaryIO, out: BinaryIO, err: TextIO) -> int:
    """Exit status 0, or 1 if a line was no transaction; the others are decoded all the same.

    Raises IdlInvalid and ProgramIdInvalid.
    """
    decoder = Decoder(load_idl(idl_path), program, event_sources="both")
    for warning in decoder.warnings:
        err.write(f"warning: {warning}\n")
    status = 0
    for line in numbered_lines(source):
        try:
            transaction = recorded_transaction(line)
        except TransactionInvalid as invalid:
            err.write(f"line {line.number}: {invalid}\n")
            status = 1
            continue
        for row in rows(transaction, decoder.decode(transaction)):
            out.write(_encode(row) + b"\n")
    out.flush()
    return status


def numbered_lines(source: BinaryIO) -> Iterator[NumberedLine]:
    """Without the blank ones. Never holds more than LINE_BYTES_MAX of one."""
    number = 0
    while content := source.readline(LINE_BYTES_MAX):
        number += 1
        whole = len(content) < LINE_BYTES_MAX or content.endswith(b"\n")
        rest = content
        while len(rest) == LINE_BYTES_MAX and not rest.endswith(b"\n"):
            rest = source.readline(LINE_BYTES_MAX)
        if content.strip():
            yield NumberedLine(number, content, whole)


def recorded_transaction(line: NumberedLine) -> Recorded:
    """Bare, or in its JSON-RPC envelope. Raises TransactionInvalid."""
    if not line.whole:
        raise TransactionInvalid(f"longer than {LINE_BYTES_MAX} bytes")
    try:
        line.content.decode()
        found = _line(line.content)
    except UnicodeDecodeError as error:
        raise TransactionInvalid(f"not UTF-8 ({error})") from error
    except msgspec.ValidationError as error:
        raise TransactionInvalid(str(error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise TransactionInvalid(f"not JSON ({error})") from error
    if isinstance(found.result, Recorded):
        return found.result
    if found.result is None:
        raise TransactionInvalid("the node answered null")
    if found.transaction is UNSET or found.meta is UNSET:
        raise TransactionInvalid("no transaction, or no meta, in it")
    return Recorded(meta=found.meta, transaction=found.transaction, slot=found.slot)


def rows(transaction: Recorded, decoded: Decoded) -> Iterator[dict[str, object]]:
    """The output's lines for one transaction, what has an ordinal rising by it."""
    place: dict[str, object] = {"signature": transaction.signature, "slot": transaction.slot}
    found: list[ProgramEvent | Undecoded] = [*decoded.events, *decoded.undecoded]
    for one in sorted(found, key=lambda one: one.ordinal):
        if isinstance(one, ProgramEvent):
            fields = plain(one.fields)
            yield place | {"ordinal": one.ordinal, "name": one.name, "source": one.source, "fields": fields}
        else:
            yield place | {"ordinal": one.ordinal, "undecoded": one.reason, "data": one.data}
    if decoded.failed is not None:
        yield place | {"failed": decoded.failed}
    if decoded.incomplete is not None:
        yield place | {"incomplete": decoded.incomplete}


def plain(value: object) -> object:
    """What every JSON reader reads alike: integers as decimal text, bytes as hexadecimal, NaN and infinity as text."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return str(value)
        case float():
            return value if math.isfinite(value) else _spelled(value)
        case bytes():
            return value.hex()
        case list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            raise AssertionError(f"no reader makes a {type(value)}")


def _spelled(value: float) -> str:
    """As JavaScript does."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
