"""When what could not be had is tried for again."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

from eventstore.backoff import delay_s

K = TypeVar("K", bound=Hashable)


class _Postponed(NamedTuple):
    tries: int
    due_s: float
    """On the event loop's clock."""


class Retries(Generic[K]):
    """Kept in memory, as a new process may try anew."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._postponed: dict[K, _Postponed] = {}

    def __len__(self) -> int:
        return len(self._postponed)

    def postpone(self, what: K, retry_after_s: float = 0.0) -> int:
        """How often it was tried by now."""
        before = self._postponed.get(what)
        tries = before.tries + 1 if before else 1
        self._postponed[what] = _Postponed(tries, self._now_s() + max(delay_s(tries - 1), retry_after_s))
        return tries

    def due_s(self, what: K) -> float:
        """On the event loop's clock; 0 if it was not postponed."""
        postponed = self._postponed.get(what)
        return postponed.due_s if postponed else 0.0

    def is_due(self, what: K) -> bool:
        return self.due_s(what) <= self._now_s()

    def forget(self, these: Iterable[K]) -> None:
        for what in these:
            self._postponed.pop(what, None)

    def next_due_s(self) -> float | None:
        """On the event loop's clock."""
        return min((postponed.due_s for postponed in self._postponed.values()), default=None)
