"""Makes readers of an IDL's types. What is of fixed size and adjacent, across nested structs, is read in one go."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

from indexer import borsh
from indexer.borsh import Reader
from indexer.idl_generics import filled, filled_enum
from indexer.idl_node import IdlInvalid
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
    Type,
    Unknown,
)
from indexer.reader_code import ReaderCode

EventReader = Callable[[bytes, int], tuple[dict[str, object], int]]
INLINE_DEPTH_MAX = 4
"""Structs in structs become part of the outer one's code down to here."""
NESTING_MAX = 32
"""A value may contain values of its own type down to here."""
LENGTH_MAX = 1 << 20
"""No transaction holds a longer array."""


class Size(NamedTuple):
    least: int
    fixed: bool


class Compiler:
    """Readers of one IDL's types, each made once."""

    def __init__(self, idl: Idl) -> None:
        self._idl = idl
        self._readers: dict[Type, Reader] = {}
        self._sizes: dict[Type, Size] = {}

    def event_reader(self, event: Event) -> EventReader:
        """Fields without names are numbered: an event is a dict whatever it is declared as.

        Raises IdlInvalid where the IDL does not say enough.
        """
        try:
            return cast(EventReader, self._reader(self._event_body(event)))
        except RecursionError:
            raise IdlInvalid(self._idl.where, f"the type of event {event.name} never ends") from None

    def _event_body(self, event: Event) -> Type:
        body = filled(event.body, {}, self._idl.where)
        for _ in range(NESTING_MAX):
            of_name = self._body(body) if isinstance(body, Defined) else None
            if of_name is None or isinstance(of_name, Enum):
                break
            body = of_name
        if isinstance(body, Fields) and body.names is None:
            return Fields(body.types, tuple(str(number) for number in range(len(body.types))))
        return body

    def _reader(self, type_: Type) -> Reader:
        """A type that contains itself meets, on the way, the promise of its own reader."""
        if type_ not in self._readers:
            promised = _Promised()
            self._readers[type_] = promised.read
            try:
                promised.reader = self._make(type_)
            finally:
                del self._readers[type_]
            self._readers[type_] = promised.reader
        return self._readers[type_]

    def _make(self, type_: Type) -> Reader:
        match type_:
            case Primitive("string"):
                return borsh.read_string
            case Primitive("bytes"):
                return borsh.read_bytes
            case Option(item):
                return borsh.option_of(self._reader(item))
            case COption(item):
                size = self._size(item)
                return borsh.coption_of(self._reader(item), size.least if size.fixed else None)
            case List(Primitive(name)) if name in borsh.SCALARS:
                return borsh.list_of_scalars(borsh.SCALARS[name])
            case List(item):
                return borsh.list_of(self._reader(item), self._size(item).least)
            case Array(item, int(length)) if not _is_scalar(item):
                return borsh.array_of(self._reader(item), self._checked_length(length))
            case Defined():
                return self._defined(type_)
            case _:
                return self._in_one_function(type_)

    def _defined(self, type_: Defined) -> Reader:
        body = self._body(type_)
        if isinstance(body, Enum):
            return borsh.variant_of([name for name, _ in body.variants], [self._reader(f) for _, f in body.variants])
        return self._reader(body)

    def _in_one_function(self, type_: Type) -> Reader:
        code = ReaderCode()
        return code.function(self._expression(type_, code, depth=0))

    def _expression(self, type_: Type, code: ReaderCode, depth: int) -> str:
        """Python source of the value, of what `code` has read so far."""
        match type_:
            case Primitive(name) if name in borsh.SCALARS:
                scalar = borsh.SCALARS[name]
                return code.take(scalar.code, scalar.convert)
            case Array(Primitive(name), int(length)) if name in borsh.SCALARS:
                scalar = borsh.SCALARS[name]
                return code.take(f"{self._checked_length(length) * scalar.size}s", borsh.scalars(scalar))
            case Fields(types, names) if depth < INLINE_DEPTH_MAX:
                values = [self._expression(item, code, depth + 1) for item in types]
                if names is None:
                    return f"[{', '.join(values)}]"
                return "{" + ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True)) + "}"
            case Defined() if depth < INLINE_DEPTH_MAX and isinstance(body := self._body(type_), Fields):
                return self._expression(body, code, depth)
            case Generic(name) | Unknown(name):
                raise IdlInvalid(self._idl.where, f"{name} is no type that is known here")
            case _:
                return code.call(self._reader(type_))

    def _body(self, type_: Defined) -> Type | Enum:
        """What the name stands for, with the generic arguments put in."""
        definition = self._idl.types.get(type_.name)
        if definition is None:
            raise IdlInvalid(self._idl.where, f"type {type_.name} is used and not defined")
        if len(definition.generics) != len(type_.arguments):
            expected, actual = len(definition.generics), len(type_.arguments)
            raise IdlInvalid(self._idl.where, f"type {type_.name} takes {expected} generic arguments, not {actual}")
        arguments = dict(zip(definition.generics, type_.arguments, strict=True))
        if isinstance(definition.body, Enum):
            return filled_enum(definition.body, arguments, self._idl.where)
        return filled(definition.body, arguments, self._idl.where)

    def _checked_length(self, length: int) -> int:
        if length > LENGTH_MAX:
            raise IdlInvalid(self._idl.where, f"an array of {length}, longer than any transaction")
        return length

    def _size(self, type_: Type) -> Size:
        """A type that contains itself counts as nothing there: too small is safe, `least` is a lower bound."""
        if type_ not in self._sizes:
            self._sizes[type_] = Size(0, fixed=False)
            self._sizes[type_] = self._measured(type_)
        return self._sizes[type_]

    def _measured(self, type_: Type) -> Size:
        match type_:
            case Primitive(name) if name in borsh.SCALARS:
                return Size(borsh.SCALARS[name].size, fixed=True)
            case Primitive() | List():
                return Size(4, fixed=False)
            case Option():
                return Size(1, fixed=False)
            case COption(item):
                size = self._size(item)
                return Size(4 + size.least, size.fixed)
            case Array(item, int(length)):
                size = self._size(item)
                return Size(size.least * length, size.fixed)
            case Fields(types):
                sizes = [self._size(item) for item in types]
                return Size(sum(size.least for size in sizes), all(size.fixed for size in sizes))
            case Defined():
                body = self._body(type_)
                return Size(1, fixed=False) if isinstance(body, Enum) else self._size(body)
            case _:
                return Size(0, fixed=False)


class _Promised:
    """The reader of a type that contains itself, while it is being made."""

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self._depth = 0

    def read(self, data: bytes, pos: int) -> tuple[object, int]:
        assert self.reader is not None, "read before it was made"
        if self._depth >= NESTING_MAX:
            raise borsh.Malformed(f"nested more than {NESTING_MAX} deep in itself")
        self._depth += 1
        try:
            return self.reader(data, pos)
        finally:
            self._depth -= 1


def _is_scalar(type_: Type) -> bool:
    return isinstance(type_, Primitive) and type_.name in borsh.SCALARS
