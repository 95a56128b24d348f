"""How far a long command is: a bar with time left on a terminal, a line now and then otherwise; on standard error."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 2.0


class ShownProgress:
    """What they all share; `columns` stand between the bar and what is said beside it."""

    def __init__(self, verb: str, of: float, *columns: ProgressColumn) -> None:
        self._verb = verb
        self._is_terminal = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn(verb),
            BarColumn(),
            *columns,
            TextColumn("{task.fields[said]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self._is_terminal,
        )
        self._task = self._bar.add_task(verb, total=of, said="")
        self._began_s = time.monotonic()
        self._line_due_s = self._began_s + LINE_EVERY_S

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def elapsed_s(self) -> float:
        """Never 0."""
        return max(time.monotonic() - self._began_s, 1e-9)

    def show(self, completed: float, said: str, line: str) -> None:
        """`said` beside the bar, or the line."""
        self._bar.update(self._task, completed=completed, said=said)
        now_s = time.monotonic()
        if not self._is_terminal and now_s >= self._line_due_s:
            self._line_due_s = now_s + LINE_EVERY_S
            sys.stderr.write(f"{self._verb}: {line}\n")


class CountProgress(ShownProgress):
    """Of something countable."""

    def __init__(self, verb: str, of: int) -> None:
        super().__init__(verb, of, MofNCompleteColumn())
        self._of, self._done = of, 0

    def advance(self, count: int = 1) -> None:
        self._done += count
        rate = self._done / self.elapsed_s()
        left_s = (self._of - self._done) / rate if rate else 0.0
        line = f"{self._done:,} of {self._of:,}, {rate:,.0f}/s, {left_s:,.0f} s left"
        self.show(self._done, f"{rate:,.0f}/s", line)
