"""JSON-RPC to Solana nodes: fails over between endpoints, and hands out nothing from one that was not vetted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

import msgspec
import structlog

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

    It closes its endpoints. `vet` is called with one before an answer of it is used, and again for each connection that
    it opens; it raises what keeps that endpoint from being used, or, when it may be used later, ChainUnavailable or
    NodeBehind.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, vet: Vet | None = None) -> None:
        self._endpoints = list(endpoints)
        self._vetting = _Vetting(vet) if vet else None
        self._preferred = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._vetting is not None:
            await self._vetting.close()
        for endpoint in self._endpoints:
            await endpoint.close()

    async def vet_all(self) -> None:
        """Raises ChainUnavailable if no endpoint can be used now."""
        assert self._vetting is not None, "there is nothing to vet by"
        reasons = []
        for endpoint in self._endpoints:
            try:
                await self._vetting.make_sure_of(endpoint)
            except Unusable as unusable:
                reasons.append(str(unusable))
                log.warning("endpoint_unusable", endpoint=endpoint.name, reason=str(unusable))
        if len(reasons) == len(self._endpoints):
            raise ChainUnavailable("start", reasons)

    def turns(self) -> list[int]:
        """Which endpoints there are, in the order they are asked: from the one that answered last."""
        count = len(self._endpoints)
        return [(self._preferred + n) % count for n in range(count)]

    async def call(
        self, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]", *, at: int | None = None
    ) -> Reply[T]:
        """`at` asks that endpoint alone: for a second question that only makes sense to who answered the first."""
        reasons: list[str] = []
        refusals: list[RpcRefused] = []
        retry_after_s = 0.0
        for index in [at] if at is not None else self.turns():
            endpoint = self._endpoints[index]
            try:
                answer = await self._ask(endpoint, method, params, decoder)
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
                log.warning("failed_over", endpoint=endpoint.name, reasons=reasons)
            self._preferred = index
            return Reply(answer.value, answer.raw, endpoint.name, index)
        if refusals:
            raise refusals[0]
        raise ChainUnavailable(method, reasons, retry_after_s)

    async def _ask(
        self, endpoint: Endpoint, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]"
    ) -> Answer[T]:
        """A refusal is an answer as well: it says nothing either before the endpoint is vetted."""
        answer: Answer[T] | RpcRefused
        try:
            answer = await endpoint.ask(method, params, decoder)
        except RpcRefused as refused:
            answer = refused
        if self._vetting is not None:
            await self._vetting.make_sure_of(endpoint)
        if isinstance(answer, RpcRefused):
            raise answer
        return answer


class _Vetting:
    """However many calls wait for it, the connections of an endpoint are vetted together."""

    def __init__(self, vet: Vet) -> None:
        self._vet = vet
        self._vetted: dict[Endpoint, int] = {}
        """How many connections had been opened when the last vetting that it passed began."""
        self._running: dict[Endpoint, asyncio.Task[None]] = {}

    async def make_sure_of(self, endpoint: Endpoint) -> None:
        """Raises Unusable where it may be used later, and what keeps it from ever being used."""
        opened = endpoint.connections
        while self._vetted.get(endpoint, -1) < opened:
            if endpoint not in self._running:
                self._running[endpoint] = asyncio.create_task(self._vet_anew(endpoint))
            try:
                await asyncio.shield(self._running[endpoint])
            except ChainUnavailable as error:
                raise Unusable("; ".join(error.reasons), error.retry_after_s) from error
            except NodeBehind as error:
                raise Unusable(f"{endpoint.name}: {error}") from error

    async def close(self) -> None:
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _vet_anew(self, endpoint: Endpoint) -> None:
        opened = endpoint.connections
        try:
            await self._vet(endpoint)
            self._vetted[endpoint] = opened
            log.info("endpoint_vetted", endpoint=endpoint.name)
        finally:
            del self._running[endpoint]
