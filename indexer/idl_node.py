"""A place in an IDL's JSON, which can name itself when something is wrong there."""

from typing import NoReturn, Self

from indexer.errors import IndexerError


class IdlInvalid(IndexerError):
    """The file is not an Anchor IDL that can be read."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}; take the IDL that `anchor build` or `anchor idl fetch` wrote")


class Node:
    def __init__(self, value: object, where: str) -> None:
        self.value = value
        self.where = where

    def get(self, key: str) -> Self:
        """Null where it is absent, and where this is null itself."""
        if self.value is None:
            return type(self)(None, f"{self.where}.{key}")
        if not isinstance(self.value, dict):
            self.fail("is not an object")
        return type(self)(self.value.get(key), f"{self.where}.{key}")

    def items(self, key: str) -> list[Self]:
        return self.get(key).elements()

    def elements(self) -> list[Self]:
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            self.fail("is not a list")
        return [type(self)(value, f"{self.where}[{index}]") for index, value in enumerate(self.value)]

    def pair(self) -> tuple[Self, Self]:
        nodes = self.elements()
        if len(nodes) != 2:
            self.fail("is not a list of two")
        return nodes[0], nodes[1]

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.fail("is not a text")
        return self.value

    def optional_text(self) -> str | None:
        return None if self.value is None else self.text()

    def number(self) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            self.fail("is not a whole number")
        return self.value

    def octets(self) -> bytes:
        numbers = [node.number() for node in self.elements()]
        if any(number > 255 for number in numbers):
            self.fail("is not a list of bytes")
        return bytes(numbers)

    def fail(self, what: str) -> NoReturn:
        raise IdlInvalid(self.where, what)
