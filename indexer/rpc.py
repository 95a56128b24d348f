"""JSON-RPC to Solana nodes: fails over between endpoints, and hands out nothing from a connection not vetted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

import msgspec
import structlog
from aiolimiter import AsyncLimiter

from indexer.endpoint import Answer, Endpoint, Unusable
from indexer.errors import ChainUnavailable, NodeBehind, RpcRefused

T = TypeVar("T")
Vet = Callable[[Endpoint], Awaitable[None]]
log = structlog.get_logger()


class Reply(NamedTuple, Generic[T]):
    value: T
    raw: bytes
    """The JSON text of the result."""
    endpoint: str
    """Scheme, host and port of who answered: paths and queries may hold keys."""
    at: int
    """Which of the endpoints it was."""


class RpcClient:
    """`async with`; calls raise ChainUnavailable when every endpoint failed, RpcRefused when none did better than a no.

    It closes its endpoints; `concurrency` is how many calls to all of them may be under way. Before an answer that came
    over a new connection is used, `vet` is called with what asks over that very connection; it raises what keeps the
    endpoint from being used, or, when it may be used later, ChainUnavailable or NodeBehind. Each endpoint is asked
    `per_second` times a second at most, and not at all for as long as it said that it wants to be left alone.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        vet: Vet | None = None,
        concurrency: int = 1,
        per_second: float | None = None,
    ) -> None:
        self._lanes = [_Lanes(endpoint, per_second) for endpoint in endpoints]
        self._vetting = _Vetting(vet) if vet else None
        self._limit = asyncio.Semaphore(concurrency)
        self._preferred = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lanes in self._lanes:
            await lanes.close()

    async def vet_all(self) -> None:
        """Raises ChainUnavailable if no endpoint can be used now."""
        assert self._vetting is not None, "there is nothing to vet by"
        reasons = []
        for lanes in self._lanes:
            try:
                async with self._limit:
                    with lanes.one() as endpoint:
                        await self._vetting.make_sure_of(lanes, endpoint)
            except Unusable as unusable:
                reasons.append(str(unusable))
                log.warning("endpoint_unusable", endpoint=lanes.name, reason=str(unusable))
        if len(reasons) == len(self._lanes):
            raise ChainUnavailable("start", reasons)

    @property
    def names(self) -> list[str]:
        """Of the endpoints, in the order of the numbers that `at` takes."""
        return [lanes.name for lanes in self._lanes]

    def turns(self) -> list[int]:
        """Which endpoints there are, in the order they are asked: from the one that answered last."""
        count = len(self._lanes)
        return [(self._preferred + n) % count for n in range(count)]

    async def call(
        self, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]", *, at: int | None = None
    ) -> Reply[T]:
        """`at` asks that endpoint alone: for a second question that only makes sense to who answered the first."""
        reasons: list[str] = []
        refusals: list[RpcRefused] = []
        retry_after_s = 0.0
        for index in [at] if at is not None else self.turns():
            lanes = self._lanes[index]
            try:
                answer = await self._ask(lanes, method, params, decoder)
            except Unusable as unusable:
                reasons.append(str(unusable))
                retry_after_s = max(retry_after_s, unusable.retry_after_s)
                continue
            except RpcRefused as refused:
                if refused.is_answer or at is not None:
                    raise
                refusals.append(refused)
                continue
            if at is None and index != self._preferred:
                log.warning("failed_over", endpoint=lanes.name, reasons=reasons)
            self._preferred = index
            return Reply(answer.value, answer.raw, lanes.name, index)
        if refusals:
            raise refusals[0]
        raise ChainUnavailable(method, reasons, retry_after_s)

    async def _ask(
        self, lanes: "_Lanes", method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]"
    ) -> Answer[T]:
        """A refusal is an answer as well: it says nothing either before the connection is vetted."""
        answer: Answer[T] | RpcRefused
        lanes.check_open()
        async with self._limit:
            await lanes.pace()
            with lanes.one() as endpoint:
                try:
                    answer = await endpoint.ask(method, params, decoder)
                except RpcRefused as refused:
                    answer = refused
                except Unusable as unusable:
                    lanes.leave_alone(unusable.retry_after_s)
                    raise
                if self._vetting is not None:
                    await self._vetting.make_sure_of(lanes, endpoint)
        if isinstance(answer, RpcRefused):
            raise answer
        return answer


class _Lanes:
    """The connections to one address: as many as there were calls under way at once."""

    def __init__(self, first: Endpoint, per_second: float | None) -> None:
        self.name = first.name
        self._anew = first.anew
        self._all, self._free = [first], [first]
        self._limiter = AsyncLimiter(1, 1 / per_second) if per_second else None
        self._closed_until_s = 0.0

    def check_open(self) -> None:
        """Raises Unusable while it wants to be left alone."""
        left_s = self._closed_until_s - _now_s()
        if left_s > 0:
            raise Unusable(f"{self.name}: it asked to be left alone for another {left_s:.1f} s", left_s)

    def leave_alone(self, retry_after_s: float) -> None:
        if retry_after_s:
            self._closed_until_s = max(self._closed_until_s, _now_s() + retry_after_s)

    async def pace(self) -> None:
        """Until it is this caller's turn: calls begin no closer together than the rate allows."""
        if self._limiter is not None:
            await self._limiter.acquire()

    @contextmanager
    def one(self) -> Iterator[Endpoint]:
        """For one caller at a time."""
        if not self._free:
            self._all.append(self._anew())
            self._free.append(self._all[-1])
        endpoint = self._free.pop()  # the one that was used last: the fewer are used, the fewer have to be vetted
        try:
            yield endpoint
        finally:
            if endpoint in self._all:
                self._free.append(endpoint)

    async def drop(self, endpoint: Endpoint) -> None:
        """Another connection may lead to another node."""
        self._all.remove(endpoint)
        await endpoint.close()

    async def close(self) -> None:
        for endpoint in self._all:
            await endpoint.close()


class _Vetting:
    def __init__(self, vet: Vet) -> None:
        self._vet = vet
        self._vetted: dict[Endpoint, int] = {}
        """How many connections had been opened when the last vetting that it passed began."""

    async def make_sure_of(self, lanes: _Lanes, endpoint: Endpoint) -> None:
        """Of its connection. Raises Unusable where it may be used later, and what keeps it from ever being used."""
        opened = max(endpoint.connections, 1)  # the first is there after the first question
        if self._vetted.get(endpoint, 0) >= opened:
            return
        self._vetted.pop(endpoint, None)
        try:
            await self._vet(endpoint)
        except (ChainUnavailable, NodeBehind) as error:
            await lanes.drop(endpoint)
            if isinstance(error, NodeBehind):
                raise Unusable(f"{endpoint.name}: {error}") from error
            raise Unusable("; ".join(error.reasons), error.retry_after_s) from error
        self._vetted[endpoint] = opened
        log.info("endpoint_vetted", endpoint=endpoint.name)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
