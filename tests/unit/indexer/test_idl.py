import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from indexer.idl import IdlInvalid, parse_idl
from indexer.idl_file import load_idl
from indexer.idl_types import (
    Array,
    COption,
    Defined,
    Enum,
    Event,
    Fields,
    Generic,
    Idl,
    List,
    Option,
    Primitive,
    ProgramError,
    Type,
    Unknown,
)

U8 = Primitive("u8")


def idl(**parts: Any) -> Idl:
    return parse_idl(msgspec.json.encode({"instructions": []} | parts))


def type_of(document: object) -> Type:
    body = idl(types=[{"name": "T", "type": {"kind": "type", "alias": document}}]).types["T"].body
    assert not isinstance(body, Enum)
    return body


def test_since_0_30_an_event_is_the_type_of_its_name() -> None:
    found = idl(address="A", events=[{"name": "Paid", "discriminator": [1, 2]}])
    assert found.events == (Event("Paid", b"\x01\x02", Defined("Paid")),)
    assert found.address == "A"


def test_up_to_0_29_an_event_has_its_fields_and_a_hash_of_its_name() -> None:
    fields = [{"name": "owner", "type": "publicKey", "index": False}]
    found = idl(metadata={"address": "A"}, events=[{"name": "Paid", "fields": fields}])
    discriminator = hashlib.sha256(b"event:Paid").digest()[:8]
    assert found.events == (Event("Paid", discriminator, Fields((Primitive("pubkey"),), ("owner",))),)
    assert found.address == "A"


def test_up_to_0_29_accounts_define_types() -> None:
    account = {"name": "Vault", "type": {"kind": "struct", "fields": [{"name": "n", "type": "u8"}]}}
    assert idl(accounts=[account, {"name": "Bare"}]).types["Vault"].body == Fields((U8,), ("n",))


def test_errors_are_by_code() -> None:
    errors = [{"code": 6000, "name": "A", "msg": "a"}, {"code": 6001, "name": "B"}]
    assert idl(errors=errors).errors == {6000: ProgramError("A", "a"), 6001: ProgramError("B", None)}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("pubkey", Primitive("pubkey")),
        ("publicKey", Primitive("pubkey")),
        ({"option": "u8"}, Option(U8)),
        ({"coption": "u8"}, COption(U8)),
        ({"vec": {"vec": "u8"}}, List(List(U8))),
        ({"array": ["u8", 4]}, Array(U8, 4)),
        ({"array": ["u8", {"generic": "N"}]}, Array(U8, "N")),
        ({"genericLenArray": ["u8", "N"]}, Array(U8, "N")),
        ({"tuple": ["u8", "bool"]}, Fields((U8, Primitive("bool")), None)),
        ({"defined": "Old"}, Defined("Old")),
        ({"defined": {"name": "New"}}, Defined("New")),
        ({"generic": "T"}, Generic("T")),
        (
            {"defined": {"name": "G", "generics": [{"kind": "type", "type": "u8"}, {"kind": "const", "value": "1_0"}]}},
            Defined("G", (U8, 10)),
        ),
        ({"defined": {"name": "G", "generics": [{"kind": "const", "value": "N"}]}}, Defined("G", (Generic("N"),))),
        (
            {"definedWithTypeArgs": {"name": "G", "args": [{"type": "u8"}, {"value": "4"}, {"generic": "T"}]}},
            Defined("G", (U8, 4, Generic("T"))),
        ),
    ],
    ids=str,
)
def test_types_of_both_formats(document: object, expected: Type) -> None:
    assert type_of(document) == expected


@pytest.mark.parametrize(
    "document", ["u512", 7, None, {}, {"hashMap": ["u8", "u8"]}, {"vec": "u8", "option": "u8"}], ids=str
)
def test_a_type_that_is_not_known_does_no_harm_until_it_is_needed(document: object) -> None:
    assert isinstance(type_of(document), Unknown)


def test_enums_have_variants_of_every_shape() -> None:
    variants = [
        {"name": "Unit"},
        {"name": "Tuple", "fields": ["u8", {"vec": "u8"}]},
        {"name": "Named", "fields": [{"name": "n", "type": "u8"}]},
    ]
    body = idl(types=[{"name": "E", "type": {"kind": "enum", "variants": variants}}]).types["E"].body
    shapes = (("Unit", Fields()), ("Tuple", Fields((U8, List(U8)), None)), ("Named", Fields((U8,), ("n",))))
    assert body == Enum(shapes)


def test_generics_are_named_in_both_formats() -> None:
    new = [{"kind": "type", "name": "T"}, {"kind": "const", "name": "N", "type": "usize"}]
    body = {"kind": "struct", "fields": []}
    found = idl(types=[{"name": "A", "generics": new, "type": body}, {"name": "B", "generics": ["T"], "type": body}])
    assert (found.types["A"].generics, found.types["B"].generics) == (("T", "N"), ("T",))


def test_a_serialization_of_its_own_cannot_be_read() -> None:
    made = {"name": "A", "serialization": {"custom": "mine"}, "type": {"kind": "struct", "fields": []}}
    assert isinstance(idl(types=[made]).types["A"].body, Unknown)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "IDL: is not JSON"),
        (b"{", "IDL: is not JSON"),
        (b"\xff", "IDL: is not JSON"),
        (b"[" * 100_000, "IDL: is not JSON"),
        (b"[]", "IDL: has neither instructions nor events"),
        (b"null", "IDL: has neither instructions nor events"),
        (b'{"name": "package"}', "IDL: has neither instructions nor events"),
        (b'{"events": 1}', "IDL.events: is not a list"),
        (b'{"events": [1]}', r"IDL.events\[0\]: is not an object"),
        (b'{"events": [{}]}', r"IDL.events\[0\].name: is not a text"),
        (
            b'{"events": [{"name": "A", "discriminator": [256]}]}',
            r"IDL.events\[0\].discriminator: is not a list of bytes",
        ),
        (b'{"events": [{"name": "A", "discriminator": ["a"]}]}', r"discriminator\[0\]: is not a whole number"),
        (b'{"events": [], "errors": [{"code": -1}]}', r"IDL.errors\[0\].code: is not a whole number"),
        (
            b'{"events": [], "types": [{"name": "A", "type": {"kind": "struct", "fields": [{"array": ["u8"]}]}}]}',
            "a list of two",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_the_way_out(content: bytes, what: str) -> None:
    with pytest.raises(IdlInvalid, match=what) as caught:
        parse_idl(content)
    assert "take the IDL that `anchor build`" in str(caught.value)


def test_two_events_of_one_discriminator_are_refused() -> None:
    with pytest.raises(IdlInvalid, match="the events A and B have one discriminator"):
        idl(events=[{"name": "A", "discriminator": [1]}, {"name": "B", "discriminator": [1]}])


def test_an_event_that_is_there_twice_is_one_event() -> None:
    assert len(idl(events=[{"name": "A", "discriminator": [1]}] * 2).events) == 2


def test_types_that_are_nested_too_deeply_are_refused() -> None:
    nested = b'{"vec":' * 900 + b'"u8"' + b"}" * 900
    with pytest.raises(IdlInvalid, match=r"nested too deeply|is not JSON"):
        parse_idl(b'{"events": [{"name": "A", "fields": [' + nested + b"]}]}")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(IdlInvalid, match=r"none\.json: cannot be read"):
        load_idl(tmp_path / "none.json")


def test_a_file_is_named_in_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "idl.json"
    path.write_bytes(b"{}")
    with pytest.raises(IdlInvalid, match=r"idl\.json: has neither"):
        load_idl(path)
