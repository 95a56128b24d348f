"""Reads Anchor IDLs, the format up to 0.29 and the one since 0.30."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from indexer.idl_node import IdlInvalid, Node
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
    TypeDef,
    Unknown,
)

__all__ = ["Idl", "IdlInvalid", "parse_idl"]

SCALARS = {"bool", "u8", "i8", "u16", "i16", "u32", "i32", "f32", "u64", "i64", "f64", "u128", "i128", "u256", "i256"}
PRIMITIVES = {name: Primitive(name) for name in SCALARS | {"string", "bytes", "pubkey"}} | {
    "publicKey": Primitive("pubkey")
}


def parse_idl(content: bytes, where: str = "IDL") -> Idl:
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IdlInvalid(where, f"is not JSON ({error})") from error
    if not isinstance(document, dict) or not {"instructions", "events"} & document.keys():
        raise IdlInvalid(where, "has neither instructions nor events")
    try:
        return _Node(document, where).idl()
    except RecursionError:
        raise IdlInvalid(where, "has types that are nested too deeply") from None


class _Node(Node):
    """A place in the document, read as what an IDL has there."""

    def idl(self) -> Idl:
        events = tuple(event.event() for event in self.items("events"))
        self._refuse_ambiguous(events)
        return Idl(
            where=self.where,
            address=self.get("address").optional_text() or self.get("metadata").get("address").optional_text() or None,
            events=events,
            types=dict(self._type_definitions()),
            errors={error.get("code").number(): error.program_error() for error in self.items("errors")},
        )

    def _refuse_ambiguous(self, events: Iterable[Event]) -> None:
        seen: dict[bytes, Event] = {}
        for event in events:
            if seen.setdefault(event.discriminator, event) != event:
                other = seen[event.discriminator].name
                self.fail(f"the events {other} and {event.name} have one discriminator, {list(event.discriminator)}")

    def _type_definitions(self) -> Iterator[tuple[str, TypeDef]]:
        """Up to 0.29 accounts are defined in place, and events may use them; `types` has the last word."""
        for node in [*self.items("accounts"), *self.items("types")]:
            if node.get("type").value is not None:
                yield node.get("name").text(), node.type_definition()

    def event(self) -> Event:
        """Up to 0.29 the fields are given in place, since 0.30 as the type of the event's name."""
        name = self.get("name").text()
        given = self.get("discriminator")
        discriminator = hashlib.sha256(f"event:{name}".encode()).digest()[:8] if given.value is None else given.octets()
        fields = self.get("fields")
        return Event(name, discriminator, Defined(name) if fields.value is None else fields.fields())

    def program_error(self) -> ProgramError:
        return ProgramError(self.get("name").text(), self.get("msg").optional_text())

    def type_definition(self) -> TypeDef:
        generics = tuple(g.text() if isinstance(g.value, str) else g.get("name").text() for g in self.items("generics"))
        serialization = self.get("serialization")
        if isinstance(serialization.value, dict):
            return TypeDef(generics, Unknown("a serialization of its own", serialization.where))
        return TypeDef(generics, self.get("type").body())

    def body(self) -> Type | Enum:
        match self.get("kind").text():
            case "struct":
                return self.get("fields").fields()
            case "enum":
                return Enum(tuple((v.get("name").text(), v.get("fields").fields()) for v in self.items("variants")))
            case "type":
                return self.get("alias").type()
            case "alias":
                return self.get("value").type()
            case kind:
                return Unknown(kind, self.where)

    def fields(self) -> Fields:
        nodes = self.elements()
        if all(isinstance(node.value, dict) and "name" in node.value and "type" in node.value for node in nodes):
            return Fields(
                tuple(node.get("type").type() for node in nodes), tuple(node.get("name").text() for node in nodes)
            )
        return Fields(tuple(node.type() for node in nodes), None)

    def type(self) -> Type:
        if isinstance(self.value, str):
            return PRIMITIVES.get(self.value) or Unknown(self.value, self.where)
        if not isinstance(self.value, dict) or len(self.value) != 1:
            return Unknown(repr(self.value), self.where)
        (kind,) = self.value
        return self.get(kind).composite(kind)

    def composite(self, kind: object) -> Type:
        match kind:
            case "option":
                return Option(self.type())
            case "coption":
                return COption(self.type())
            case "vec":
                return List(self.type())
            case "array" | "genericLenArray":
                item, length = self.pair()
                return Array(item.type(), length.array_length())
            case "tuple":
                return Fields(tuple(node.type() for node in self.elements()), None)
            case "defined" | "definedWithTypeArgs":
                return self.defined()
            case "generic":
                return Generic(self.text())
            case _:
                return Unknown(str(kind), self.where)

    def defined(self) -> Defined:
        if isinstance(self.value, str):
            return Defined(self.value)
        arguments = [*self.items("generics"), *self.items("args")]
        return Defined(self.get("name").text(), tuple(argument.argument() for argument in arguments))

    def argument(self) -> Type | int:
        """Since 0.30 {"kind": "type", "type": …} or {"kind": "const", "value": "4"}; before, without the kind."""
        for key in ("type", "value", "generic"):
            node = self.get(key)
            if node.value is not None:
                return node.type() if key == "type" else node.constant() if key == "value" else Generic(node.text())
        return self.fail("is not a generic argument")

    def constant(self) -> Type | int:
        text = str(self.value).replace("_", "")
        return int(text) if text.isdecimal() and len(text) <= 20 else Generic(str(self.value))

    def array_length(self) -> int | str:
        if isinstance(self.value, dict):
            return self.get("generic").text()
        return self.value if isinstance(self.value, str) else self.number()
