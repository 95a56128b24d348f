"""JSON-RPC to Solana nodes: one call at a time per slot of concurrency, failing over between endpoints."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
import structlog

from indexer.errors import ChainUnavailable, RpcRefused

T = TypeVar("T")
RESPONSE_BYTES_MAX = 64 * 2**20
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


class Reply(msgspec.Struct, Generic[T], frozen=True):
    value: T
    raw: bytes
    """The JSON text of the result."""
    endpoint: str
    """Scheme, host and port of who answered: paths and queries may hold keys."""
    index: int
    """Which of the URLs it was."""


class RpcClient:
    """`async with`; calls raise ChainUnavailable when every endpoint failed, RpcRefused when one said a clear no."""

    def __init__(self, urls: Sequence[str], *, timeout_s: float, concurrency: int) -> None:
        self._urls = list(urls)
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
                reply = await self._ask(index, method, params, decoder)
            except _Unusable as unusable:
                reasons.append(f"{public_name(self._urls[index])}: {unusable}")
                retry_after_s = max(retry_after_s, unusable.retry_after_s)
                continue
            self._preferred = index
            return reply
        raise ChainUnavailable(method, reasons, retry_after_s)

    async def _ask(
        self, index: int, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]"
    ) -> Reply[T]:
        url = self._urls[index]
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        response = self._parse(await self._post(url, body), self._response)
        if response.error is not None:
            if response.error.code in TRANSIENT_CODES:
                raise _Unusable(f"{response.error.code} {response.error.message}")
            raise RpcRefused(public_name(url), method, response.error.code, response.error.message)
        raw = bytes(response.result)
        if not raw:
            raise _Unusable("it answered without a result")
        return Reply(self._parse(raw, decoder), raw, public_name(url), index)

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
            raise _Unusable("timed out") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _Unusable(f"{type(error).__name__}: {str(error).replace(url, public_name(url))}") from error

    @staticmethod
    def _parse(content: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
        try:
            return decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            start = content[:40].decode(errors="replace")
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


def _retry_after_s(header: str | None) -> float:
    """Seconds, or 0 for none and for the date form, which nodes do not use (RFC 9110, section 10.2.3)."""
    return min(float(header), 60.0) if header is not None and header.isdecimal() else 0.0
