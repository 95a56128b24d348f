"""What IDLs may say so that the decoder in question gets it right; the rest is in `test_where_they_are_wrong`."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from tests.property.indexer.borsh_samples import Dialect, Written, primitives, written
from tests.unit.indexer.recorded import VAULT

SINCE_0_30 = Dialect(
    primitives(),
    ["option", "vec", "array", "struct", "tuple struct", "enum", "alias", "generic"],
    lambda name: {"defined": {"name": name}},
    lambda item: {"kind": "type", "alias": item},
)
UP_TO_0_29 = Dialect(
    primitives(pubkey="publicKey"),
    ["option", "vec", "array", "struct", "enum"],
    lambda name: {"defined": name},
    lambda item: {"kind": "alias", "value": item},
    ("unit", "tuple", "named"),
)
ANCHORPY = UP_TO_0_29._replace(
    primitives=primitives(pubkey="publicKey", bits_max=128, nan=False), kinds=[*UP_TO_0_29.kinds, "alias"]
)


class Case(NamedTuple):
    """An IDL, an event's payload and the fields in it."""

    idl: bytes
    payload: bytes
    value: object


def discriminator(name: str) -> bytes:
    return hashlib.sha256(f"event:{name}".encode()).digest()[:8]


def since_0_30(events: dict[str, tuple[bytes, list[Any]]], types: Sequence[Any]) -> bytes:
    """Events by name, with discriminator and fields."""
    bodies = [{"name": name, "type": {"kind": "struct", "fields": fields}} for name, (_, fields) in events.items()]
    return msgspec.json.encode(
        {
            "address": VAULT,
            "metadata": {"name": "generated", "version": "0.1.0", "spec": "0.1.0"},
            "instructions": [],
            "events": [{"name": name, "discriminator": list(octets)} for name, (octets, _) in events.items()],
            "types": [*bodies, *types],
        }
    )


def up_to_0_29(events: dict[str, list[Any]], types: Sequence[Any]) -> bytes:
    """Events by name, with fields."""
    listed = [
        {"name": name, "fields": [field | {"index": False} for field in fields]} for name, fields in events.items()
    ]
    document = {"version": "0.1.0", "name": "generated", "instructions": [], "events": listed, "types": types}
    return msgspec.json.encode(document)


@st.composite
def cases_since_0_30(draw: st.DrawFn) -> Case:
    made: Written = draw(written(SINCE_0_30))
    octets = draw(st.binary(min_size=1, max_size=12))
    return Case(since_0_30({"E": (octets, made.fields)}, made.types), octets + made.data, made.value)


@st.composite
def cases_up_to_0_29(draw: st.DrawFn, dialect: Dialect = UP_TO_0_29) -> Case:
    made: Written = draw(written(dialect))
    return Case(up_to_0_29({"E": made.fields}, made.types), discriminator("E") + made.data, made.value)
