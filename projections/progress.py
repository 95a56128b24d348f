"""How far a rebuild is: a bar with rate and time left on a terminal, plain lines otherwise, JSON for machines."""

import sys
import time
from types import TracebackType
from typing import Literal, Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from projections.loading import Report

LINE_EVERY_S = 2.0
Style = Literal["bar", "lines", "json"]


class RebuildProgress:
    """`report` may be called as often as one likes. Everything goes to standard error, but JSON to standard output."""

    def __init__(self, label: str, *, as_json: bool) -> None:
        self._style: Style = "json" if as_json else "bar" if sys.stderr.isatty() else "lines"
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=self._style != "bar",
        )
        self.report = self.report_of(label)

    def report_of(self, label: str) -> Report:
        """Of one of several that are under way."""
        return _Told(label, self._style, self._bar).report

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


class _Told:
    """What was said of one."""

    def __init__(self, label: str, style: Style, bar: Progress) -> None:
        self._label, self._style, self._bar = label, style, bar
        self._phase, self._began_s, self._began_at, self._line_due_s = "", 0.0, 0, 0.0
        self._task: TaskID | None = None

    def report(self, phase: str, done: int, of: int) -> None:
        now_s = time.monotonic()
        if phase != self._phase:
            self._phase, self._began_s, self._began_at, self._line_due_s = phase, now_s, done, now_s + LINE_EVERY_S
            self._task = self._bar.add_task(f"{self._label}: {phase}", total=of, rate="")
        elapsed_s = now_s - self._began_s
        rate = (done - self._began_at) / elapsed_s if elapsed_s else 0.0
        if self._style == "bar" and self._task is not None:
            self._bar.update(self._task, completed=done, total=of, rate=f"{rate:,.0f}/s")
        elif now_s >= self._line_due_s:
            self._line_due_s = now_s + LINE_EVERY_S
            self._line(phase, done, of, rate)

    def _line(self, phase: str, done: int, of: int, rate: float) -> None:
        eta_s = round((of - done) / rate, 1) if rate else None
        if self._style == "json":
            line = {"projection": self._label, "phase": phase, "done": done, "of": of, "etaS": eta_s}
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
            sys.stdout.flush()
        else:
            sys.stderr.write(f"{self._label}: {phase}, {done:,} of {of:,}, {rate:,.0f}/s, {eta_s} s left\n")
