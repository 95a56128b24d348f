"""What the indexer asks of one node."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

import msgspec

T = TypeVar("T")


class Unusable(Exception):
    """This endpoint's answer is of no use; another's may be."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Answer(NamedTuple, Generic[T]):
    value: T
    raw: bytes
    """The JSON text of the result."""


class Endpoint(Protocol):
    """A connection to a node, opened when it is needed, for one question at a time. To be closed.

    The texts of what it raises name it, and are free of its URL's secrets.
    """

    name: str
    """Scheme, host and port: paths and queries may hold keys."""
    connections: int
    """Opened so far: who answers over the next one may be another node."""

    def anew(self) -> Self:
        """The same address, over a connection of its own."""

    async def ask(self, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]") -> Answer[T]:
        """Raises Unusable, or RpcRefused for a clear no."""

    async def close(self) -> None: ...
