"""Values as Borsh lays them out, by hand. Round trips of whatever an IDL can say are among the property tests."""

import struct
from typing import Any

import pytest
from solders.pubkey import Pubkey

from indexer.borsh import Malformed
from indexer.borsh_compiler import Compiler
from indexer.idl import IdlInvalid
from tests.unit.indexer.recorded import idl_of

NODE = {
    "name": "Node",
    "type": {"kind": "struct", "fields": [{"name": "next", "type": {"option": {"defined": {"name": "Node"}}}}]},
}
SIDE = {
    "name": "Side",
    "type": {
        "kind": "enum",
        "variants": [
            {"name": "Long"},
            {"name": "At", "fields": ["u8", "bool"]},
            {"name": "Of", "fields": [{"name": "n", "type": "u16"}]},
        ],
    },
}
PAIR = {"name": "Pair", "type": {"kind": "struct", "fields": ["u8", "string"]}}
UNIT = {"name": "Unit", "type": {"kind": "struct"}}
ALIAS = {"name": "Alias", "type": {"kind": "type", "alias": {"defined": {"name": "Side"}}}}
BOX = {
    "name": "Box",
    "generics": [{"kind": "type", "name": "T"}, {"kind": "const", "name": "N", "type": "usize"}],
    "type": {"kind": "struct", "fields": [{"name": "all", "type": {"array": [{"generic": "T"}, {"generic": "N"}]}}]},
}
OUTER = {
    "name": "Outer",
    "generics": [{"kind": "type", "name": "U"}],
    "type": {
        "kind": "enum",
        "variants": [
            {
                "name": "In",
                "fields": [
                    {
                        "defined": {
                            "name": "Box",
                            "generics": [
                                {"kind": "type", "type": {"option": {"generic": "U"}}},
                                {"kind": "const", "value": "2"},
                            ],
                        }
                    }
                ],
            },
        ],
    },
}
ENDLESS = {
    "name": "Endless",
    "generics": [{"kind": "type", "name": "T"}],
    "type": {
        "kind": "struct",
        "fields": [
            {
                "option": {
                    "defined": {"name": "Endless", "generics": [{"kind": "type", "type": {"vec": {"generic": "T"}}}]}
                }
            }
        ],
    },
}
ITSELF = {"name": "Itself", "type": {"kind": "type", "alias": {"defined": {"name": "Itself"}}}}
TYPES = [NODE, SIDE, PAIR, UNIT, ALIAS, BOX, OUTER, ENDLESS, ITSELF]
KEY = bytes(range(32))


def defined(name: str, *generics: dict[str, Any]) -> dict[str, Any]:
    return {"defined": {"name": name, "generics": list(generics)}}


def read(type_: Any, data: bytes) -> object:
    """The value; all of the data must be its."""
    event = {"name": "E", "fields": [{"name": "x", "type": type_}]}
    idl = idl_of({"events": [event], "types": TYPES})
    value, end = Compiler(idl).event_reader(idl.events[0])(b"??" + data, 2)
    assert end == len(data) + 2
    return value["x"]


@pytest.mark.parametrize(
    ("type_", "data", "value"),
    [
        ("bool", b"\x01", True),
        ("bool", b"\x00", False),
        ("u8", b"\xff", 255),
        ("i8", b"\xff", -1),
        ("u16", b"\x00\x80", 2**15),
        ("i16", b"\x00\x80", -(2**15)),
        ("u32", b"\xff" * 4, 2**32 - 1),
        ("i32", b"\xff" * 4, -1),
        ("u64", b"\xff" * 8, 2**64 - 1),
        ("u64", bytes(7) + b"\x80", 2**63),
        ("i64", bytes(7) + b"\x80", -(2**63)),
        ("u128", b"\xff" * 16, 2**128 - 1),
        ("i128", b"\xff" * 16, -1),
        ("u256", b"\xff" * 32, 2**256 - 1),
        ("i256", bytes(31) + b"\x80", -(2**255)),
        ("f32", struct.pack("<f", 1.5), 1.5),
        ("f64", struct.pack("<d", 0.1), 0.1),
        ("pubkey", KEY, str(Pubkey(KEY))),
        ("string", b"\x03\0\0\0h\xc3\xa9", "hé"),
        ("bytes", b"\x02\0\0\0\x00\xff", b"\x00\xff"),
        ({"option": "u8"}, b"\x00", None),
        ({"option": "u8"}, b"\x01\x07", 7),
        ({"coption": "u8"}, b"\0\0\0\0\x07", None),
        ({"coption": "u8"}, b"\x01\0\0\0\x07", 7),
        ({"coption": "string"}, b"\0\0\0\0\x01\0\0\0x", None),
        ({"vec": "u8"}, b"\x02\0\0\0\x01\x02", [1, 2]),
        ({"vec": "u16"}, b"\x02\0\0\0\x01\0\x02\0", [1, 2]),
        ({"vec": "pubkey"}, b"\x01\0\0\0" + KEY, [str(Pubkey(KEY))]),
        ({"vec": "bool"}, b"\x02\0\0\0\x01\0", [True, False]),
        ({"vec": "string"}, b"\x01\0\0\0\x01\0\0\0x", ["x"]),
        ({"vec": defined("Unit")}, b"\0\0\0\0", []),
        ({"array": ["u8", 2]}, b"\x01\x02", [1, 2]),
        ({"array": ["i128", 2]}, b"\xff" * 16 + bytes(16), [-1, 0]),
        ({"array": [{"option": "u8"}, 2]}, b"\x00\x01\x05", [None, 5]),
        ({"array": [{"array": ["u8", 1]}, 2]}, b"\x01\x02", [[1], [2]]),
        ({"array": ["u64", 0]}, b"", []),
        ({"tuple": ["u8", {"tuple": []}, "bool"]}, b"\x05\x01", [5, [], True]),
        (defined("Pair"), b"\x01\x01\0\0\0x", [1, "x"]),
        (defined("Unit"), b"", {}),
        (defined("Side"), b"\x00", {"Long": {}}),
        (defined("Side"), b"\x01\x05\x01", {"At": [5, True]}),
        (defined("Alias"), b"\x02\x05\x00", {"Of": {"n": 5}}),
        (defined("Node"), b"\x01\x01\x00", {"next": {"next": {"next": None}}}),
        (
            defined("Outer", {"kind": "type", "type": "u16"}),
            b"\x00\x01\x07\x00\x00",
            {"In": [{"all": [7, None]}]},
        ),
    ],
    ids=str,
)
def test_a_value_is_read_to_its_end(type_: object, data: bytes, value: object) -> None:
    found = read(type_, data)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("type_", "data", "what"),
    [
        ("bool", b"\x02", "a bool of 2"),
        ({"array": ["bool", 2]}, b"\x01\x02", "a bool of 2"),
        ({"vec": "bool"}, b"\x01\0\0\0\xff", "a bool of 255"),
        ({"option": "u8"}, b"\x02\x01", "an option's tag of 2"),
        ({"coption": "u8"}, b"\x02\0\0\0\x01", "an option's tag of 2"),
        (defined("Side"), b"\x03", "variant 3 of 3"),
        ("string", b"\x01\0\0\0\xff", "a string that is not UTF-8"),
        ("string", b"\x03\0\0\0\xed\xa0\x80", "a string that is not UTF-8"),
        ("string", b"\xff\xff\xff\xffx", "4294967295 bytes announced, 1 there"),
        ("bytes", b"\x02\0\0\0x", "2 bytes announced, 1 there"),
        ({"vec": "u64"}, b"\xff\xff\xff\xff" + bytes(8), "a list of 4294967295 announced, 8 bytes there"),
        ({"vec": "string"}, b"\xff\xff\xff\xff", "a list of 4294967295 announced, 0 bytes there"),
        ({"vec": defined("Unit")}, b"\xff\xff\xff\xff", "a list of 4294967295 announced, 0 bytes there"),
        ({"vec": {"array": ["u8", 0]}}, b"\x01\0\0\0more", "a list of 1 announced, 4 bytes there"),
        (defined("Node"), b"\x01" * 5000, "nested more than 32 deep in itself"),
        (defined("Itself"), b"", "nested more than 32 deep in itself"),
    ],
    ids=str,
)
def test_what_the_type_does_not_allow_is_named(type_: object, data: bytes, what: str) -> None:
    with pytest.raises(Malformed, match=what):
        read(type_, data)


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("u64", bytes(7)),
        ("pubkey", bytes(31)),
        ("string", b"\x01\0\0"),
        ({"option": "u8"}, b""),
        ({"option": "u8"}, b"\x01"),
        ({"coption": "u64"}, b"\0\0\0\0" + bytes(7)),
        ({"coption": "u64"}, b"\x01\0\0\0" + bytes(7)),
        ({"array": ["u16", 3]}, bytes(5)),
        ({"array": [{"option": "u8"}, 3]}, bytes(2)),
        (defined("Side"), b""),
        (defined("Side"), b"\x01\x01"),
    ],
    ids=str,
)
def test_data_that_ends_early_is_not_a_value(type_: object, data: bytes) -> None:
    with pytest.raises((struct.error, IndexError)):
        read(type_, data)


@pytest.mark.parametrize(
    ("type_", "what"),
    [
        ("u512", "u512 is no type that is known here"),
        ({"hashMap": ["u8", "u8"]}, "hashMap is no type that is known here"),
        ({"generic": "T"}, "generic T stands for no type"),
        (defined("Nowhere"), "type Nowhere is used and not defined"),
        (defined("Box", {"kind": "type", "type": "u8"}), "type Box takes 2 generic arguments, not 1"),
        (
            defined("Box", {"kind": "const", "value": "1"}, {"kind": "const", "value": "1"}),
            "generic T stands for no type",
        ),
        (
            defined("Box", {"kind": "type", "type": "u8"}, {"kind": "type", "type": "u8"}),
            "array length N stands for no number",
        ),
        ({"array": ["u8", "N"]}, "array length N stands for no number"),
        ({"array": ["u8", 2**40]}, "an array of 1099511627776, longer than any transaction"),
        ({"array": [{"option": "u8"}, 2**40]}, "longer than any transaction"),
        (defined("Endless", {"kind": "type", "type": "u8"}), "never ends"),
    ],
    ids=str,
)
def test_what_the_idl_leaves_open_is_named(type_: object, what: str) -> None:
    with pytest.raises(IdlInvalid, match=what):
        read(type_, b"")


def test_an_event_of_unnamed_fields_has_them_numbered() -> None:
    idl = idl_of({"events": [{"name": "Pair", "discriminator": []}], "types": TYPES})
    assert Compiler(idl).event_reader(idl.events[0])(b"\x01\x01\0\0\0x", 0)[0] == {"0": 1, "1": "x"}


def test_names_are_taken_as_they_are() -> None:
    name = 'it\'s "a"\n{name}\\'
    idl = idl_of({"events": [{"name": "E", "fields": [{"name": name, "type": "u8"}]}]})
    assert Compiler(idl).event_reader(idl.events[0])(b"\x01", 0)[0] == {name: 1}


def test_an_event_that_is_nothing_but_itself_is_never_read() -> None:
    idl = idl_of({"events": [{"name": "Itself", "discriminator": []}], "types": TYPES})
    with pytest.raises(Malformed, match="nested more than 32 deep in itself"):
        Compiler(idl).event_reader(idl.events[0])(bytes(100), 0)
