"""Readers of Borsh (https://borsh.io): bytes in, plain Python values out.

Integers become int, floats float, pubkeys base58 text, `bytes` bytes, lists, arrays and tuples list, structs dict,
options the value or None, and enums a dict of the variant's name to its fields.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from indexer.base58 import Addresses

Reader = Callable[[bytes, int], tuple[object, int]]
"""Takes the data and where to begin, gives the value and where it ended. Raises Malformed, and struct.error or
IndexError where the data ends early."""
Items = Callable[[bytes], list[object]]

address_of = Addresses()
_count = struct.Struct("<I").unpack_from


class Malformed(Exception):
    """The data is not what its type says."""


def flag(byte: int) -> bool:
    if byte > 1:
        raise Malformed(f"a bool of {byte}")
    return byte == 1


def unsigned(data: bytes) -> int:
    return int.from_bytes(data, "little")


def signed(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


class Scalar(NamedTuple):
    """A value of fixed size: its `struct` code, its bytes, and the call that makes the value of what struct gives."""

    code: str
    size: int
    convert: Callable[[bytes], object] | Callable[[int], object] | None = None


SCALARS = {
    "bool": Scalar("B", 1, flag),
    "u8": Scalar("B", 1),
    "i8": Scalar("b", 1),
    "u16": Scalar("H", 2),
    "i16": Scalar("h", 2),
    "u32": Scalar("I", 4),
    "i32": Scalar("i", 4),
    "u64": Scalar("Q", 8),
    "i64": Scalar("q", 8),
    "f32": Scalar("f", 4),
    "f64": Scalar("d", 8),
    "u128": Scalar("16s", 16, unsigned),
    "i128": Scalar("16s", 16, signed),
    "u256": Scalar("32s", 32, unsigned),
    "i256": Scalar("32s", 32, signed),
    "pubkey": Scalar("32s", 32, address_of.__getitem__),
}


def scalars(scalar: Scalar) -> Items:
    """Reads as many of them as the bytes hold."""
    if scalar == SCALARS["u8"]:
        return list
    each = struct.Struct("<" + scalar.code).iter_unpack
    convert = scalar.convert
    if convert is None:
        return lambda data: [item for (item,) in each(data)]
    return lambda data: [convert(item) for (item,) in each(data)]


def _chunk(data: bytes, pos: int) -> tuple[bytes, int]:
    """Bytes behind their count."""
    (count,) = _count(data, pos)
    end = pos + 4 + count
    if end > len(data):
        raise Malformed(f"{count} bytes announced, {len(data) - pos - 4} there")
    return data[pos + 4 : end], end


read_bytes: Reader = _chunk


def read_string(data: bytes, pos: int) -> tuple[object, int]:
    chunk, pos = _chunk(data, pos)
    try:
        return chunk.decode(), pos
    except UnicodeDecodeError:
        raise Malformed("a string that is not UTF-8") from None


def option_of(read: Reader) -> Reader:
    def read_option(data: bytes, pos: int) -> tuple[object, int]:
        tag = data[pos]
        if tag > 1:
            raise Malformed(f"an option's tag of {tag}")
        return read(data, pos + 1) if tag else (None, pos + 1)

    return read_option


def coption_of(read: Reader, size: int | None) -> Reader:
    """`size` is the item's, whose room is taken also where there is none; None if its size is not fixed."""

    def read_coption(data: bytes, pos: int) -> tuple[object, int]:
        (tag,) = _count(data, pos)
        if tag > 1:
            raise Malformed(f"an option's tag of {tag}")
        if tag or size is None:
            item, pos = read(data, pos + 4)
            return item if tag else None, pos
        if pos + 4 + size > len(data):
            raise IndexError
        return None, pos + 4 + size

    return read_coption


def array_of(read: Reader, length: int) -> Reader:
    def read_array(data: bytes, pos: int) -> tuple[object, int]:
        items = []
        for _ in range(length):
            item, pos = read(data, pos)
            items.append(item)
        return items, pos

    return read_array


def list_of(read: Reader, item_size_min: int) -> Reader:
    """Borsh has no lists of what has no size: any count would fit."""

    def read_list(data: bytes, pos: int) -> tuple[object, int]:
        (count,) = _count(data, pos)
        if count * item_size_min > len(data) - pos - 4 or (count and not item_size_min):
            raise Malformed(f"a list of {count} announced, {len(data) - pos - 4} bytes there")
        return array_of(read, count)(data, pos + 4)

    return read_list


def list_of_scalars(scalar: Scalar) -> Reader:
    items_of = scalars(scalar)

    def read_list(data: bytes, pos: int) -> tuple[object, int]:
        (count,) = _count(data, pos)
        end = pos + 4 + count * scalar.size
        if end > len(data):
            raise Malformed(f"a list of {count} announced, {len(data) - pos - 4} bytes there")
        return items_of(data[pos + 4 : end]), end

    return read_list


def variant_of(names: list[str], readers: list[Reader]) -> Reader:
    def read_variant(data: bytes, pos: int) -> tuple[object, int]:
        tag = data[pos]
        if tag >= len(names):
            raise Malformed(f"variant {tag} of {len(names)}")
        fields, pos = readers[tag](data, pos + 1)
        return {names[tag]: fields}, pos

    return read_variant
