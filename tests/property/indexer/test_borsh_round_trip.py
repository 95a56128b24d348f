"""Whatever type an IDL can say, whatever value it has: what was written is what is read."""

import math
import struct
from typing import Any, NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from indexer.borsh import Malformed
from indexer.borsh_compiler import Compiler
from indexer.idl import parse_idl

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Sample(NamedTuple):
    """A type as the IDL has it, and values of it with what they are written as."""

    type: Any
    values: st.SearchStrategy[tuple[object, bytes]]


def integers(bits: int, signed: bool) -> st.SearchStrategy[tuple[object, bytes]]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    edges = st.sampled_from([low, high, 0, 1, high // 2, high // 2 + 1])
    return (edges | st.integers(low, high)).map(lambda n: (n, n.to_bytes(bits // 8, "little", signed=signed)))


def counted(data: bytes, count: int) -> bytes:
    return struct.pack("<I", count) + data


def strings() -> st.SearchStrategy[tuple[object, bytes]]:
    return st.text(max_size=10).map(lambda text: (text, counted(text.encode(), len(text.encode()))))


PRIMITIVES = [
    *(Sample(f"u{bits}", integers(bits, signed=False)) for bits in (8, 16, 32, 64, 128, 256)),
    *(Sample(f"i{bits}", integers(bits, signed=True)) for bits in (8, 16, 32, 64, 128, 256)),
    Sample("bool", st.booleans().map(lambda b: (b, bytes([b])))),
    Sample("f32", st.floats(width=32).map(lambda f: (f, struct.pack("<f", f)))),
    Sample("f64", st.floats().map(lambda f: (f, struct.pack("<d", f)))),
    Sample("pubkey", st.binary(min_size=32, max_size=32).map(lambda key: (str(Pubkey(key)), key))),
    Sample("string", strings()),
    Sample("bytes", st.binary(max_size=10).map(lambda data: (data, counted(data, len(data))))),
]


class Types:
    """Definitions made on the way, so that types can be named."""

    def __init__(self) -> None:
        self.definitions: list[dict[str, Any]] = []

    def define(self, body: dict[str, Any]) -> dict[str, Any]:
        name = f"T{len(self.definitions)}"
        self.definitions.append({"name": name, "type": body})
        return {"defined": {"name": name}}


def joined(samples: list[Sample]) -> st.SearchStrategy[tuple[list[object], bytes]]:
    both = st.tuples(*(sample.values for sample in samples))
    return both.map(lambda rows: ([value for value, _ in rows], b"".join(data for _, data in rows)))


def options(item: Sample, tag: str, room: int | None) -> st.SearchStrategy[tuple[object, bytes]]:
    """`room` is what an absent item takes."""
    absent = struct.pack(tag, 0) + bytes(room or 0)
    return st.just((None, absent)) | item.values.map(lambda row: (row[0], struct.pack(tag, 1) + row[1]))


@st.composite
def samples(draw: st.DrawFn, types: Types, depth: int) -> Sample:
    kinds = (
        ["primitive"]
        if depth == 0
        else ["primitive", "option", "coption", "vec", "array", "tuple", "struct", "enum", "alias"]
    )
    kind = draw(st.sampled_from(kinds))
    if kind == "primitive":
        primitive: Sample = draw(st.sampled_from(PRIMITIVES))
        return primitive
    if kind == "coption":
        name, room = draw(st.sampled_from([("u8", 1), ("u64", 8), ("pubkey", 32), ("bool", 1)]))
        item = next(sample for sample in PRIMITIVES if sample.type == name)
        return Sample({"coption": name}, options(item, "<I", room))
    item = draw(samples(types, depth - 1))
    if kind == "option":
        return Sample({"option": item.type}, options(item, "<B", None))
    if kind == "vec":
        lists = st.lists(item.values, max_size=3)
        return Sample(
            {"vec": item.type},
            lists.map(lambda rows: ([v for v, _ in rows], counted(b"".join(d for _, d in rows), len(rows)))),
        )
    if kind == "array":
        length = draw(st.integers(1, 3))
        return Sample({"array": [item.type, length]}, joined([item] * length))
    if kind == "alias":
        return Sample(types.define({"kind": "type", "alias": item.type}), item.values)
    items = [item, *draw(st.lists(samples(types, depth - 1), max_size=2))]
    if kind == "tuple":
        return Sample({"tuple": [one.type for one in items]}, joined(items))
    if kind == "struct":
        fields, values = named(items)
        return Sample(types.define({"kind": "struct", "fields": fields}), values)
    return enum_of(types, items)


def named(items: list[Sample]) -> tuple[list[dict[str, Any]], st.SearchStrategy[tuple[object, bytes]]]:
    fields = [{"name": f"f{place}", "type": one.type} for place, one in enumerate(items)]
    values = joined(items).map(lambda row: ({f"f{place}": value for place, value in enumerate(row[0])}, row[1]))
    return fields, values


def enum_of(types: Types, items: list[Sample]) -> Sample:
    fields, values = named(items)
    variants: list[dict[str, Any]] = [
        {"name": "Unit"},
        {"name": "Tuple", "fields": [one.type for one in items]},
        {"name": "Named", "fields": fields},
    ]
    unit: st.SearchStrategy[tuple[object, bytes]] = st.just(({"Unit": {}}, b"\x00"))
    tuples = joined(items).map(lambda row: ({"Tuple": row[0]}, b"\x01" + row[1]))
    structs = values.map(lambda row: ({"Named": row[0]}, b"\x02" + row[1]))
    return Sample(types.define({"kind": "enum", "variants": variants}), unit | tuples | structs)


class Written(NamedTuple):
    idl: bytes
    data: bytes
    value: object


@st.composite
def written(draw: st.DrawFn) -> Written:
    types = Types()
    items = draw(st.lists(samples(types, 3), max_size=4))
    fields, values = named(items)
    value, data = draw(values)
    idl = {"events": [{"name": "E", "fields": fields}], "types": types.definitions}
    return Written(msgspec.json.encode(idl), data, value)


def same(left: object, right: object) -> bool:
    """Equal and of equal types, NaN with NaN."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return type(left) is type(right) and left == right


@patient
@given(written(), st.binary(max_size=4))
def test_what_was_written_is_read_to_its_end(case: Written, more: bytes) -> None:
    idl = parse_idl(case.idl)
    value, end = Compiler(idl).event_reader(idl.events[0])(case.data + more, 0)
    assert end == len(case.data)
    assert same(value, case.value)


@patient
@given(written(), st.data())
def test_what_is_cut_short_is_refused(case: Written, data: st.DataObject) -> None:
    if not case.data:
        return
    idl = parse_idl(case.idl)
    cut = case.data[: data.draw(st.integers(0, len(case.data) - 1))]
    try:
        Compiler(idl).event_reader(idl.events[0])(cut, 0)
    except (Malformed, struct.error, IndexError):
        return
    raise AssertionError("read from too few bytes")


@patient
@given(written(), st.binary(max_size=200))
def test_any_bytes_are_a_value_or_are_refused(case: Written, data: bytes) -> None:
    idl = parse_idl(case.idl)
    try:
        _, end = Compiler(idl).event_reader(idl.events[0])(data, 0)
    except (Malformed, struct.error, IndexError):
        return
    assert end <= len(data)
