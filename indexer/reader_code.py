"""The source of one reader, written once per type: Python runs it faster than it could walk the type each time."""

from __future__ import annotations

import struct
from collections.abc import Callable

from indexer.borsh import Reader


class ReaderCode:
    """Values taken one after the other, those of fixed size by one `struct.unpack_from`."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._run: list[tuple[str, str]] = []
        self._names: dict[str, object] = {}
        self._count = 0

    def take(self, code: str, convert: Callable[..., object] | None) -> str:
        variable = self._new("v")
        self._run.append((variable, code))
        return variable if convert is None else f"{self._bound(convert)}({variable})"

    def call(self, read: Reader) -> str:
        self._end_run()
        variable = self._new("v")
        self._lines.append(f"{variable}, pos = {self._bound(read)}(data, pos)")
        return variable

    def function(self, value: str) -> Reader:
        self._end_run()
        body = "\n    ".join([*self._lines, f"return {value}, pos"])
        exec(f"def read(data, pos):\n    {body}\n", self._names)  # once per type; names are quoted
        read: Reader = self._names["read"]  # type: ignore[assignment]  # what exec just defined
        return read

    def _end_run(self) -> None:
        if not self._run:
            return
        run = struct.Struct("<" + "".join(code for _, code in self._run))
        variables = "".join(f"{variable}, " for variable, _ in self._run)
        self._lines.append(f"{variables}= {self._bound(run.unpack_from)}(data, pos)")
        self._lines.append(f"pos += {run.size}")
        self._run.clear()

    def _bound(self, value: object) -> str:
        name = self._new("f")
        self._names[name] = value
        return name

    def _new(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"
