"""A node behind a URL."""

import itertools
import re
from collections.abc import Sequence
from typing import NoReturn, TypeVar
from urllib.parse import unquote, urlsplit

import aiohttp
import msgspec

from indexer.endpoint import Answer, Unusable
from indexer.errors import RpcRefused

T = TypeVar("T")
RESPONSE_BYTES_MAX = 64 * 2**20
KEEP_ALIVE_S = 60.0
"""How long an idle connection is kept, if the node keeps it: another one would have to be vetted."""
MESSAGE_LENGTH_MAX = 300
"""Of what a node says of an error."""
SECRET_LENGTH_MIN = 6
"""Shorter parts of a URL, but for user and password, are no keys; and they occur within any text."""
TRANSIENT_CODES = {-32005, -32004, -32014, -32016, -32603, 429, -32429}
"""Node unhealthy or behind, block not available yet, status not available yet, minimum slot not reached, internal
error, rate limited (agave rpc-client-api/custom_error.rs; 429 as providers send it): another endpoint may do better."""


class _RpcError(msgspec.Struct):
    code: int
    message: str = ""


class _Response(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw()
    error: _RpcError | None = None
    id: int | str | None = None
    """None where the node does not say to what it answers."""


_response = msgspec.json.Decoder(_Response)


class HttpEndpoint:
    """Implements Endpoint."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.name = public_name(url)
        self.connections = 0
        self._url, self._timeout_s = url, timeout_s
        self._ids = itertools.count(1)
        self._session = self._open()

    def anew(self) -> "HttpEndpoint":
        return HttpEndpoint(self._url, timeout_s=self._timeout_s)

    async def close(self) -> None:
        await self._session.close()

    async def ask(self, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]") -> Answer[T]:
        number = next(self._ids)
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        try:
            response = self._parse(await self._post(body), _response)
            if response.id is not None and str(response.id) != str(number):
                await self._connect_anew()
                raise Unusable(f"it answered request {str(response.id)[:40]!r} instead of {number}")
            if response.error is not None:
                self._raise(method, response.error)
            raw = bytes(response.result)
            if not raw:
                raise Unusable("it answered without a result")
            return Answer(self._parse(raw, decoder), raw)
        except Unusable as unusable:
            reason = without_secrets(str(unusable), self._url)
            raise Unusable(f"{self.name}: {reason}", unusable.retry_after_s) from unusable

    def _open(self) -> aiohttp.ClientSession:
        counting = aiohttp.TraceConfig()
        counting.on_connection_create_end.append(self._count)
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            connector=aiohttp.TCPConnector(limit=1, keepalive_timeout=KEEP_ALIVE_S),
            trace_configs=[counting],
        )

    async def _connect_anew(self) -> None:
        """Over a connection on which one answer came twice, each that follows is to the request before."""
        last, self._session = self._session, self._open()
        await last.close()

    async def _post(self, body: bytes) -> bytes:
        try:
            async with self._session.post(
                self._url, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
            ) as response:
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
            start = without_secrets(content[:1_000].decode(errors="replace"), self._url)[:40]
            raise Unusable(f"its answer is not what was asked for ({error}; it begins {start!r})") from error

    def _raise(self, method: str, error: _RpcError) -> NoReturn:
        message = without_secrets(error.message[:1_000], self._url)[:MESSAGE_LENGTH_MAX]
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
    secrets = sorted(_secrets(url), key=len, reverse=True)
    patterns = [_in_any_encoding(part) for part in secrets] + [re.escape(part) for part in secrets if "%" in part]
    return re.sub("|".join(patterns), "***", text, flags=re.IGNORECASE) if patterns else text


def _secrets(url: str) -> set[str]:
    """As they stand in the URL."""
    place, *rest = re.split(r"[/?#]", url.partition("://")[2])
    user, _, password = place.rpartition("@")[0].partition(":")
    parts = (part for one in rest for part in re.split(r"[&=:@]", one))
    return {user, password, *(part for part in parts if len(part) >= SECRET_LENGTH_MIN)} - {""}


def _in_any_encoding(part: str) -> str:
    """A pattern: each of its characters as itself or percent-encoded. A short one counts as a whole word only."""
    plain = unquote(part)
    encoded = ("".join(f"%{byte:02X}" for byte in c.encode(errors="replace")) for c in plain)
    pattern = "".join(f"(?:{'[ +]' if c in ' +' else re.escape(c)}|{e})" for c, e in zip(plain, encoded, strict=True))
    return pattern if len(plain) >= SECRET_LENGTH_MIN else rf"(?<![^\W_]){pattern}(?![^\W_])"


def _retry_after_s(header: str | None) -> float:
    """Seconds, or 0 for none and for the date form, which nodes do not use (RFC 9110, section 10.2.3)."""
    return min(float(header), 60.0) if header is not None and header.isdecimal() else 0.0
