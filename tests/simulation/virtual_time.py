"""An event loop whose clock stands still while anything can run, and jumps to the next timer when nothing can."""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from typing import Any

STEP_S = 1e-6
"""What one round of the loop takes: or who waits for less than the clock resolves would wait for ever."""


class Stuck(Exception):
    """Nothing can run any more, and no timer is set."""


class _Jump(selectors.BaseSelector):
    """Looks for what is ready, and lets time pass instead of waiting for it."""

    def __init__(self, pass_time: Callable[[float], None]) -> None:
        self._real = selectors.DefaultSelector()
        self._pass_time = pass_time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        self._pass_time(STEP_S)
        if not ready and timeout is None:
            raise Stuck("nothing can run any more, and no timer is set")
        if not ready and timeout is not None and timeout > 0:
            self._pass_time(timeout)
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` is seconds since the loop was made."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Jump(self._pass))

    def time(self) -> float:
        return self._now_s

    def _pass(self, seconds: float) -> None:
        self._now_s += seconds


def run(main: Callable[[], Any]) -> Any:
    """As asyncio.run does, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())
