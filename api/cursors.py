"""Opaque page cursors: where a walk goes on, in which generation, and which walk it is."""

import base64
import binascii
from typing import Annotated

import msgspec

from projections.read_models import PageStart

CURSOR_LENGTH_MAX = 1_000
Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A store can compare no larger one."""
_decoder = msgspec.msgpack.Decoder(tuple[str, Number, tuple[str | Number, ...]])


class CursorInvalid(ValueError):
    """That is no cursor of this walk."""


def to_text(walk: str, start: PageStart) -> str:
    """`walk` names what is paged through, with its order: a cursor of another is refused."""
    packed = msgspec.msgpack.encode((walk, start.generation, start.key))
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def from_text(walk: str, text: str, key_types: tuple[type, ...]) -> PageStart:
    """Raises CursorInvalid."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        of, generation, key = _decoder.decode(packed)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise CursorInvalid("is not a cursor that this API gave") from error
    start = PageStart(generation, key)
    if to_text(of, start) != text:
        raise CursorInvalid("is not a cursor that this API gave")
    if of != walk or tuple(map(type, key)) != key_types:
        raise CursorInvalid("belongs to another request: use a cursor with the path and order it came from")
    return start
