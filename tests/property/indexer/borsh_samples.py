"""Types as an IDL says them, each with values and what Borsh writes for them. Written without our reader's help."""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st
from solders.pubkey import Pubkey

Values = st.SearchStrategy[tuple[object, bytes]]


class Sample(NamedTuple):
    """A type as the IDL has it, and values of it with what they are written as."""

    type: Any
    values: Values


class Dialect(NamedTuple):
    """What an IDL may say, and how it says it: the formats differ, and not every decoder knows all of one."""

    primitives: list[Sample]
    kinds: list[str]
    """Of composite types."""
    reference: Callable[[str], dict[str, Any]]
    """To a type that is defined under a name."""
    alias: Callable[[Any], dict[str, Any]]
    variants: tuple[str, str, str] = ("Unit", "Tuple", "Named")


def integers(bits: int, signed: bool) -> Values:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    edges = st.sampled_from([low, high, 0, 1, high // 2, high // 2 + 1])
    return (edges | st.integers(low, high)).map(lambda n: (n, n.to_bytes(bits // 8, "little", signed=signed)))


def counted(data: bytes, count: int) -> bytes:
    return struct.pack("<I", count) + data


def strings() -> Values:
    return st.text(max_size=10).map(lambda text: (text, counted(text.encode(), len(text.encode()))))


def floats(code: str, *, nan: bool) -> Values:
    return st.floats(width=32 if code == "<f" else 64, allow_nan=nan).map(lambda f: (f, struct.pack(code, f)))


def primitives(*, pubkey: str = "pubkey", bits_max: int = 256, nan: bool = True) -> list[Sample]:
    widths = [bits for bits in (8, 16, 32, 64, 128, 256) if bits <= bits_max]
    return [
        *(Sample(f"u{bits}", integers(bits, signed=False)) for bits in widths),
        *(Sample(f"i{bits}", integers(bits, signed=True)) for bits in widths),
        Sample("bool", st.booleans().map(lambda b: (b, bytes([b])))),
        Sample("f32", floats("<f", nan=nan)),
        Sample("f64", floats("<d", nan=nan)),
        Sample(pubkey, st.binary(min_size=32, max_size=32).map(lambda key: (str(Pubkey(key)), key))),
        Sample("string", strings()),
        Sample("bytes", st.binary(max_size=10).map(lambda data: (data, counted(data, len(data))))),
    ]


EVERYTHING = Dialect(
    primitives(),
    ["option", "coption", "vec", "array", "tuple", "struct", "tuple struct", "enum", "alias", "generic"],
    lambda name: {"defined": {"name": name}},
    lambda item: {"kind": "type", "alias": item},
)


class Types:
    """Definitions made on the way, so that types can be named."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.definitions: list[dict[str, Any]] = []

    def define(self, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        name = f"T{len(self.definitions)}"
        self.definitions.append({"name": name, "type": body, **more})
        return self.dialect.reference(name)


def joined(samples: list[Sample]) -> st.SearchStrategy[tuple[list[object], bytes]]:
    both = st.tuples(*(sample.values for sample in samples))
    return both.map(lambda rows: ([value for value, _ in rows], b"".join(data for _, data in rows)))


def options(item: Sample, tag: str, room: int | None) -> Values:
    """`room` is what an absent item takes."""
    absent = struct.pack(tag, 0) + bytes(room or 0)
    return st.just((None, absent)) | item.values.map(lambda row: (row[0], struct.pack(tag, 1) + row[1]))


def lists(item: Sample) -> Values:
    rows = st.lists(item.values, max_size=3)
    return rows.map(lambda rows: ([v for v, _ in rows], counted(b"".join(d for _, d in rows), len(rows))))


@st.composite
def samples(draw: st.DrawFn, types: Types, depth: int) -> Sample:
    dialect = types.dialect
    kind = draw(st.sampled_from(["primitive", *dialect.kinds])) if depth else "primitive"
    if kind == "primitive":
        primitive: Sample = draw(st.sampled_from(dialect.primitives))
        return primitive
    if kind == "coption":
        return draw(coptions())
    item = draw(samples(types, depth - 1))
    if kind in ("tuple", "struct", "tuple struct", "enum"):
        return product(types, kind, [item, *draw(st.lists(samples(types, depth - 1), max_size=2))])
    return wrapped(types, kind, item, draw(st.integers(1, 3)))


@st.composite
def coptions(draw: st.DrawFn) -> Sample:
    name, room = draw(st.sampled_from([("u8", 1), ("u64", 8), ("pubkey", 32), ("bool", 1)]))
    item = next(sample for sample in primitives() if sample.type == name)
    return Sample({"coption": name}, options(item, "<I", room))


def wrapped(types: Types, kind: str, item: Sample, length: int) -> Sample:
    """A type made of one other."""
    match kind:
        case "option":
            return Sample({"option": item.type}, options(item, "<B", None))
        case "vec":
            return Sample({"vec": item.type}, lists(item))
        case "array":
            return Sample({"array": [item.type, length]}, joined([item] * length))
        case "generic":
            return generic(types, item, length)
        case "alias":
            return Sample(types.define(types.dialect.alias(item.type)), item.values)
    raise AssertionError(kind)


def product(types: Types, kind: str, items: list[Sample]) -> Sample:
    """A type made of several others."""
    fields, values = named(items)
    match kind:
        case "tuple":
            return Sample({"tuple": [one.type for one in items]}, joined(items))
        case "struct":
            return Sample(types.define({"kind": "struct", "fields": fields}), values)
        case "tuple struct":
            body = {"kind": "struct", "fields": [one.type for one in items]}
            return Sample(types.define(body), joined(items))
        case "enum":
            return enum_of(types, items)
    raise AssertionError(kind)


def generic(types: Types, item: Sample, length: int) -> Sample:
    """A struct that takes its item's type and its array's length."""
    parameters = [{"kind": "type", "name": "T"}, {"kind": "const", "name": "N", "type": "usize"}]
    array = {"array": [{"generic": "T"}, {"generic": "N"}]}
    fields = [{"name": "all", "type": array}, {"name": "some", "type": {"vec": {"generic": "T"}}}]
    made = types.define({"kind": "struct", "fields": fields}, generics=parameters)
    arguments = [{"kind": "type", "type": item.type}, {"kind": "const", "value": str(length)}]
    values = joined([Sample(None, joined([item] * length)), Sample(None, lists(item))])
    named_values = values.map(lambda row: (dict(zip(("all", "some"), row[0], strict=True)), row[1]))
    return Sample({"defined": {"name": made["defined"]["name"], "generics": arguments}}, named_values)


def named(items: list[Sample]) -> tuple[list[dict[str, Any]], Values]:
    fields = [{"name": f"f{place}", "type": one.type} for place, one in enumerate(items)]
    values = joined(items).map(lambda row: ({f"f{place}": value for place, value in enumerate(row[0])}, row[1]))
    return fields, values


def enum_of(types: Types, items: list[Sample]) -> Sample:
    fields, values = named(items)
    unit_name, tuple_name, struct_name = types.dialect.variants
    variants: list[dict[str, Any]] = [
        {"name": unit_name},
        {"name": tuple_name, "fields": [one.type for one in items]},
        {"name": struct_name, "fields": fields},
    ]
    unit: Values = st.just(({unit_name: {}}, b"\x00"))
    tuples = joined(items).map(lambda row: ({tuple_name: row[0]}, b"\x01" + row[1]))
    structs = values.map(lambda row: ({struct_name: row[0]}, b"\x02" + row[1]))
    return Sample(types.define({"kind": "enum", "variants": variants}), unit | tuples | structs)


class Written(NamedTuple):
    """One event, E, of some type, and one value of it."""

    fields: list[dict[str, Any]]
    types: list[dict[str, Any]]
    data: bytes
    value: object

    @property
    def idl(self) -> bytes:
        return msgspec.json.encode({"events": [{"name": "E", "fields": self.fields}], "types": self.types})


@st.composite
def written(draw: st.DrawFn, dialect: Dialect = EVERYTHING, depth: int = 3) -> Written:
    types = Types(dialect)
    fields, values = named(draw(st.lists(samples(types, depth), max_size=4)))
    value, data = draw(values)
    return Written(fields, types.definitions, data, value)
