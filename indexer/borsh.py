"""Readers of Borsh, made once from an IDL's types: bytes in, plain Python values out.

Integers become int, floats float, pubkeys base58 text, `bytes` bytes, lists, arrays and tuples lists, structs dicts,
options the value or None, and enums a dict of the variant's name to its fields. Formats: https://borsh.io.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

from indexer.base58 import Addresses

Reader = Callable[[bytes, int], tuple[object, int]]
"""Takes the data and where to begin; gives the value and where it ended. Raises Malformed or struct.error."""
Row = TypeVar("Row")

_COUNT = struct.Struct("<I")
addresses = Addresses()


class Malformed(Exception):
    """The data is not what the IDL says."""


class Scalar:
    """A value of fixed size: its `struct` format, and what makes the value of it."""

    def __init__(self, name: str, code: str, convert: Callable[[bytes], object] | None = None) -> None:
        self.name = name
        self.code = code
        self.size = struct.calcsize("<" + code)
        self.convert = convert


def flag(byte: int) -> bool:
    if byte > 1:
        raise Malformed(f"a bool is {byte}")
    return byte == 1


def unsigned(data: bytes) -> int:
    return int.from_bytes(data, "little")


def signed(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)
