"""What a run tells people: a line that lives on a terminal, plain lines elsewhere, or JSON for programs."""

from types import TracebackType
from typing import Any, Protocol, Self

import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from localnet.sample import Sample

PLAIN_EVERY_S = 5.0


class Display(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, text: str, **facts: Any) -> None:
        """Something happened. The facts are for programs."""

    def status(self, sample: Sample, sent: int, elapsed_s: float) -> None: ...


def display(*, as_json: bool) -> Display:
    if as_json:
        return JsonLines()
    console = Console(highlight=False, soft_wrap=True)
    return LiveLine(console) if console.is_terminal else PlainLines(console)


class PlainLines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._due_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, text: str, **_: Any) -> None:
        self._console.print(text, markup=False)

    def status(self, sample: Sample, sent: int, elapsed_s: float) -> None:
        if elapsed_s >= self._due_s:
            self._due_s = elapsed_s + PLAIN_EVERY_S
            self.say(status_line(sample, sent))


class LiveLine:
    def __init__(self, console: Console) -> None:
        self._live = Live(Text(""), console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def say(self, text: str, **_: Any) -> None:
        self._live.console.print(text, markup=False)

    def status(self, sample: Sample, sent: int, elapsed_s: float) -> None:
        del elapsed_s  # one sees it change
        self._live.update(Text(status_line(sample, sent), style="bold cyan", overflow="ellipsis"), refresh=True)


class JsonLines:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, text: str, **facts: Any) -> None:
        self._write({"event": "message", "text": text, **facts})

    def status(self, sample: Sample, sent: int, elapsed_s: float) -> None:
        facts = msgspec.to_builtins(sample) | {"lagSlots": sample.lag_slots, "sent": sent}
        self._write({"event": "status", "elapsedS": round(elapsed_s, 1), **facts})

    def _write(self, line: dict[str, Any]) -> None:
        print(msgspec.json.encode(line).decode(), flush=True)


def status_line(sample: Sample, sent: int) -> str:
    return "  ".join(
        [
            f"slot {_number(sample.slot)}",
            f"stored {_number(sample.stored)}",
            f"projected {_number(sample.projected)}",
            f"vaults {_number(sample.vaults)}{'+' if sample.more_vaults else ''}",
            f"TVL {_tokens(sample)}",
            f"lag {_number(sample.lag_slots)} slots",
            f"sent {sent:,} tx",
        ]
    )


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _tokens(sample: Sample) -> str:
    """In whole tokens, cut after two places."""
    if sample.tvl is None:
        return "-"
    hundredths = sample.tvl * 100 // 10**sample.decimals
    return f"{hundredths // 100:,}.{hundredths % 100:02}{'+' if sample.more_vaults else ''}"
