"""JSON-RPC to Solana nodes: one call at a time per slot of concurrency, failing over between endpoints."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
import structlog

from indexer.errors import ChainUnavailable, NodeBehind, RpcRefused

T = TypeVar("T")
Vet = Callable[[str], Awaitable[None]]
RESPONSE_BYTES_MAX = 64 * 2**20
SECRET_LENGTH_MIN = 6
"""Shorter parts of a URL are no keys, and occur in any text."""
TRANSIENT_CODES = {-32005, -32004, -32014, -32016, -32603, 429, -32429}
"""Node unhealthy or behind, block not available yet, status not available yet, minimum slot not reached, internal
error, rate limited (agave rpc-client-api/custom_error.rs; 429 as providers send it): another endpoint may do better."""
log = structlog.get_logger()


class _RpcError(msgspec.Struct):
    code: int
    message: str = ""


class _Response(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw()
    error: _RpcError | None = None


class _Unusable(Exception):
    """This endpoint's answer is of no use; another's may be."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class _OutOfReach(_Unusable):
    """There was no whole answer: who answers there next may be another node."""


class Reply(msgspec.Struct, Generic[T], frozen=True):
    value: T
    raw: bytes
    """The JSON text of the result."""
    endpoint: str
    """Scheme, host and port of who answered: paths and queries may hold keys."""
    index: int
    """Which of the URLs it was."""


class RpcClient:
    """`async with`; calls raise ChainUnavailable when every endpoint failed, RpcRefused when one said a clear no.

    `vet` is called with the URL of an endpoint before it is first asked, and again after it was out of reach; it raises
    what keeps that endpoint from being used, or, when it may be used later, ChainUnavailable or NodeBehind.
    """

    def __init__(self, urls: Sequence[str], *, timeout_s: float, concurrency: int, vet: Vet | None = None) -> None:
        self._urls = list(urls)
        self._vet = vet
        self._vetted: set[int] = set()
        self._vetting: dict[int, asyncio.Task[None]] = {}
        self._preferred = 0
        self._limit = asyncio.Semaphore(concurrency)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout_s), connector=aiohttp.TCPConnector(limit=concurrency)
        )
        self._response = msgspec.json.Decoder(_Response)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(
        self, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]", *, at: int | None = None
    ) -> Reply[T]:
        """`at` asks that endpoint alone: for a second question that only makes sense to who answered the first."""
        reasons: list[str] = []
        retry_after_s = 0.0
        turns = [at] if at is not None else [(self._preferred + n) % len(self._urls) for n in range(len(self._urls))]
        for index in turns:
            try:
                await self._make_sure_of(index)
                reply = await self._ask(index, method, params, decoder)
            except _Unusable as unusable:
                if isinstance(unusable, _OutOfReach):
                    self._vetted.discard(index)
                reason = without_secrets(str(unusable), self._urls[index])
                reasons.append(f"{public_name(self._urls[index])}: {reason}")
                retry_after_s = max(retry_after_s, unusable.retry_after_s)
                continue
            self._preferred = index
            return reply
        raise ChainUnavailable(method, reasons, retry_after_s)

    async def _make_sure_of(self, index: int) -> None:
        """However many calls wait for it, an endpoint is vetted once."""
        if self._vet is None or index in self._vetted:
            return
        if index not in self._vetting:
            self._vetting[index] = asyncio.create_task(self._vet_anew(self._vet, index))
        try:
            await self._vetting[index]
        except (ChainUnavailable, NodeBehind) as error:
            raise _Unusable(str(error), getattr(error, "retry_after_s", 0.0)) from error

    async def _vet_anew(self, vet: Vet, index: int) -> None:
        try:
            await vet(self._urls[index])
            self._vetted.add(index)
            log.info("endpoint_vetted", endpoint=public_name(self._urls[index]))
        finally:
            del self._vetting[index]

    async def _ask(
        self, index: int, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]"
    ) -> Reply[T]:
        url = self._urls[index]
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        response = _parse(url, await self._post(url, body), self._response)
        if response.error is not None:
            if response.error.code in TRANSIENT_CODES:
                raise _Unusable(f"{response.error.code} {response.error.message}")
            message = without_secrets(response.error.message, url)
            raise RpcRefused(public_name(url), method, response.error.code, message)
        raw = bytes(response.result)
        if not raw:
            raise _Unusable("it answered without a result")
        return Reply(_parse(url, raw, decoder), raw, public_name(url), index)

    async def _post(self, url: str, body: bytes) -> bytes:
        try:
            async with (
                self._limit,
                self._session.post(
                    url, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
                ) as response,
            ):
                if response.status != 200:
                    raise _Unusable(f"HTTP {response.status}", _retry_after_s(response.headers.get("Retry-After")))
                return await _bounded_body(response)
        except TimeoutError as error:
            raise _OutOfReach("timed out") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _OutOfReach(f"{type(error).__name__}: {error}") from error


def _parse(url: str, content: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        start = without_secrets(content[:1_000].decode(errors="replace"), url)[:40]
        raise _Unusable(f"its answer is not what was asked for ({error}; it begins {start!r})") from error


async def _bounded_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > RESPONSE_BYTES_MAX:
            raise _Unusable(f"its answer is larger than {RESPONSE_BYTES_MAX} bytes")
    return bytes(body)


def public_name(url: str) -> str:
    """Without user, path and query, where keys are kept."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "?"
        return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"
    except ValueError:
        return "(malformed URL)"


def without_secrets(text: str, url: str) -> str:
    """What others say may quote the URL, or a part of it."""
    text = text.replace(url, public_name(url))
    host = public_name(url).partition("://")[2]
    for part in re.split(r"[/?&=#:@]", url.partition("://")[2].replace(host, "", 1)):
        if len(part) >= SECRET_LENGTH_MIN:
            text = text.replace(part, "***")
    return text


def _retry_after_s(header: str | None) -> float:
    """Seconds, or 0 for none and for the date form, which nodes do not use (RFC 9110, section 10.2.3)."""
    return min(float(header), 60.0) if header is not None and header.isdecimal() else 0.0
