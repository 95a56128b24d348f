"""Rows as text that other tools read: NDJSON with the columns as names, or CSV with a line of them first."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec import json

from projections.command_line import fail

FormatOption = Annotated[str, typer.Option("--format", help="ndjson or csv.")]
Values = Sequence[str | int | bool | None]


class Table:
    """Turns rows into lines. Refuses a format that there is not, on the command line."""

    def __init__(self, columns: Sequence[str], format_: str) -> None:
        if format_ not in ("ndjson", "csv"):
            fail(f"--format {format_!r}: choose from ndjson, csv")
        self._columns, self._is_csv = columns, format_ == "csv"

    def head(self) -> str:
        return _csv(self._columns) if self._is_csv else ""

    def line(self, values: Values) -> str:
        if self._is_csv:
            return _csv(values)
        return json.encode(dict(zip(self._columns, values, strict=True))).decode() + "\n"


def _csv(values: Values) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()
