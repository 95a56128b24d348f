"""What an IDL says of a program: its events, their types, its errors. Both of Anchor's formats become this."""

from __future__ import annotations

from msgspec import Struct


class Primitive(Struct, frozen=True):
    """A scalar, `string`, `bytes` or `pubkey`."""

    name: str


class Option(Struct, frozen=True):
    item: Type


class COption(Struct, frozen=True):
    """Four bytes of tag; unlike Option, the item's room is there also where there is no item."""

    item: Type


class List(Struct, frozen=True):
    item: Type


class Array(Struct, frozen=True):
    item: Type
    length: int | str
    """The name of a generic's constant, or the number itself."""


class Fields(Struct, frozen=True):
    """A struct's or a variant's content: named, or, as a tuple, not."""

    types: tuple[Type, ...] = ()
    names: tuple[str, ...] | None = ()


class Defined(Struct, frozen=True):
    name: str
    arguments: tuple[Type | int, ...] = ()


class Generic(Struct, frozen=True):
    name: str


class Unknown(Struct, frozen=True):
    """Something that is no type of ours. It does no harm until an event needs it."""

    text: str
    where: str


class Enum(Struct, frozen=True):
    variants: tuple[tuple[str, Fields], ...]


Type = Primitive | Option | COption | List | Array | Fields | Defined | Generic | Unknown


class TypeDef(Struct, frozen=True):
    generics: tuple[str, ...]
    body: Type | Enum


class Event(Struct, frozen=True):
    name: str
    discriminator: bytes
    body: Type


class ProgramError(Struct, frozen=True):
    name: str
    message: str | None


class Idl(Struct, frozen=True):
    where: str
    """The file, for messages."""
    address: str | None
    events: tuple[Event, ...]
    types: dict[str, TypeDef]
    errors: dict[int, ProgramError]
