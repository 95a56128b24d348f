"""How far a long command is: a bar with rate and time left on a terminal, a line now and then otherwise."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 2.0


class CountProgress:
    """Of something countable; on standard error."""

    def __init__(self, verb: str, of: int) -> None:
        self._verb, self._of, self._done = verb, of, 0
        self._is_terminal = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn(verb),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self._is_terminal,
        )
        self._task = self._bar.add_task(verb, total=of, rate="")
        self._began_s = time.monotonic()
        self._line_due_s = self._began_s + LINE_EVERY_S

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, count: int = 1) -> None:
        self._done += count
        now_s = time.monotonic()
        rate = self._done / max(now_s - self._began_s, 1e-9)
        self._bar.update(self._task, completed=self._done, rate=f"{rate:,.0f}/s")
        if not self._is_terminal and now_s >= self._line_due_s:
            self._line_due_s = now_s + LINE_EVERY_S
            left_s = (self._of - self._done) / rate
            sys.stderr.write(f"{self._verb}: {self._done:,} of {self._of:,}, {rate:,.0f}/s, {left_s:,.0f} s left\n")
