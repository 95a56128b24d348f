"""When what could not be had is tried for again."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from eventstore.port import Inclusion

DELAYS_S = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


def delay_s(tries: int) -> float:
    return DELAYS_S[min(tries, len(DELAYS_S) - 1)]


class _Postponed(NamedTuple):
    tries: int
    due_s: float
    """On the event loop's clock."""


class Retries:
    """Of inclusions; kept in memory, as a new process may try anew."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._postponed: dict[Inclusion, _Postponed] = {}

    def __len__(self) -> int:
        return len(self._postponed)

    def postpone(self, inclusion: Inclusion, retry_after_s: float = 0.0) -> int:
        """How often it was tried by now."""
        before = self._postponed.get(inclusion)
        tries = before.tries + 1 if before else 1
        self._postponed[inclusion] = _Postponed(tries, self._now_s() + max(delay_s(tries - 1), retry_after_s))
        return tries

    def is_due(self, inclusion: Inclusion) -> bool:
        postponed = self._postponed.get(inclusion)
        return postponed is None or postponed.due_s <= self._now_s()

    def forget(self, inclusions: Iterable[Inclusion]) -> None:
        for inclusion in inclusions:
            self._postponed.pop(inclusion, None)

    def next_due_s(self) -> float | None:
        """On the event loop's clock."""
        return min((postponed.due_s for postponed in self._postponed.values()), default=None)
