"""Puts the arguments of a generic type in the place of its parameters."""

from collections.abc import Mapping
from typing import assert_never

from indexer.idl_node import IdlInvalid
from indexer.idl_types import (
    Array,
    COption,
    Defined,
    Enum,
    Fields,
    Generic,
    List,
    Option,
    Primitive,
    Type,
    Unknown,
)

Arguments = Mapping[str, Type | int]
"""By parameter; constants are numbers."""


def filled(type_: Type, arguments: Arguments, where: str) -> Type:
    """Raises IdlInvalid, of the IDL `where`, for a parameter without an argument."""
    match type_:
        case Primitive() | Unknown():
            return type_
        case Option(item):
            return Option(filled(item, arguments, where))
        case COption(item):
            return COption(filled(item, arguments, where))
        case List(item):
            return List(filled(item, arguments, where))
        case Array(item, length):
            return Array(filled(item, arguments, where), _number(length, arguments, where))
        case Fields():
            return _fields(type_, arguments, where)
        case Defined(name, given):
            return Defined(name, tuple(_argument(one, arguments, where) for one in given))
        case Generic(name):
            return _type(name, arguments, where)
        case _:
            assert_never(type_)


def filled_enum(enum: Enum, arguments: Arguments, where: str) -> Enum:
    return Enum(tuple((name, _fields(fields, arguments, where)) for name, fields in enum.variants))


def _fields(fields: Fields, arguments: Arguments, where: str) -> Fields:
    return Fields(tuple(filled(item, arguments, where) for item in fields.types), fields.names)


def _argument(given: Type | int, arguments: Arguments, where: str) -> Type | int:
    if isinstance(given, Generic):
        return arguments.get(given.name, given)
    return given if isinstance(given, int) else filled(given, arguments, where)


def _type(name: str, arguments: Arguments, where: str) -> Type:
    found = arguments.get(name)
    if found is None or isinstance(found, int):
        raise IdlInvalid(where, f"generic {name} stands for no type")
    return found


def _number(length: int | str, arguments: Arguments, where: str) -> int:
    found = length if isinstance(length, int) else arguments.get(length)
    if not isinstance(found, int):
        raise IdlInvalid(where, f"array length {length} stands for no number")
    return found
