"""One node: asks it over connections of its own, and counts them, because who answers the next may be another node."""

import asyncio
import re
from collections.abc import Sequence
from typing import Generic, NoReturn, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from indexer.errors import RpcRefused

T = TypeVar("T")
RESPONSE_BYTES_MAX = 64 * 2**20
MESSAGE_LENGTH_MAX = 300
"""Of what a node says of an error."""
SECRET_LENGTH_MIN = 6
"""Shorter parts of a URL are no keys, and occur in any text."""
TRANSIENT_CODES = {-32005, -32004, -32014, -32016, -32603, 429, -32429}
"""Node unhealthy or behind, block not available yet, status not available yet, minimum slot not reached, internal
error, rate limited (agave rpc-client-api/custom_error.rs; 429 as providers send it): another endpoint may do better."""


class _RpcError(msgspec.Struct):
    code: int
    message: str = ""


class _Response(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw()
    error: _RpcError | None = None


_response = msgspec.json.Decoder(_Response)


class Unusable(Exception):
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
    """Which of the endpoints it was."""


class Endpoint:
    """`close()` it. Texts that it raises are free of its URL's secrets."""

    def __init__(self, url: str, index: int, *, timeout_s: float, limit: asyncio.Semaphore) -> None:
        self.url, self.index = url, index
        self.name = public_name(url)
        self.connections = 0
        """Opened so far."""
        self._limit = limit
        counting = aiohttp.TraceConfig()
        counting.on_connection_create_end.append(self._count)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            connector=aiohttp.TCPConnector(limit=0),  # the semaphore limits
            trace_configs=[counting],
        )

    async def close(self) -> None:
        await self._session.close()

    async def ask(self, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]") -> Reply[T]:
        """Raises Unusable, or RpcRefused for a clear no."""
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            response = self._parse(await self._post(body), _response)
            if response.error is not None:
                self._raise(method, response.error)
            raw = bytes(response.result)
            if not raw:
                raise Unusable("it answered without a result")
            return Reply(self._parse(raw, decoder), raw, self.name, self.index)
        except Unusable as unusable:
            reason = without_secrets(str(unusable), self.url)
            raise Unusable(f"{self.name}: {reason}", unusable.retry_after_s) from unusable

    async def _post(self, body: bytes) -> bytes:
        try:
            async with (
                self._limit,
                self._session.post(
                    self.url, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
                ) as response,
            ):
                if response.status != 200:
                    raise Unusable(f"HTTP {response.status}", _retry_after_s(response.headers.get("Retry-After")))
                return await _bounded_body(response)
        except TimeoutError as error:
            raise Unusable("timed out") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unusable(f"{type(error).__name__}: {error}") from error

    def _parse(self, content: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
        try:
            return decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            start = without_secrets(content[:1_000].decode(errors="replace"), self.url)[:40]
            raise Unusable(f"its answer is not what was asked for ({error}; it begins {start!r})") from error

    def _raise(self, method: str, error: _RpcError) -> NoReturn:
        message = without_secrets(error.message[:1_000], self.url)[:MESSAGE_LENGTH_MAX]
        if error.code in TRANSIENT_CODES:
            raise Unusable(f"{error.code} {message}")
        raise RpcRefused(self.name, method, error.code, message)

    async def _count(self, *_: object) -> None:
        self.connections += 1


async def _bounded_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > RESPONSE_BYTES_MAX:
            raise Unusable(f"its answer is larger than {RESPONSE_BYTES_MAX} bytes")
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
