"""Encodes instructions and decodes accounts as an Anchor IDL (of version 0.30 or newer) says."""

import json
import struct
from collections.abc import Mapping
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

NUMBERS = {"u8": "<B", "u64": "<Q", "i64": "<q"}


class AnchorIdl:
    """Knows the types that our two programs use and no others."""

    def __init__(self, text: bytes) -> None:
        idl = json.loads(text)
        self.program = Pubkey.from_string(idl["address"])
        self.errors: dict[int, str] = {error["code"]: error["name"] for error in idl["errors"]}
        self._instructions = {entry["name"]: entry for entry in idl["instructions"]}
        self._accounts = {entry["name"]: bytes(entry["discriminator"]) for entry in idl["accounts"]}
        self._events = {bytes(entry["discriminator"]): entry["name"] for entry in idl.get("events", ())}
        self._types = {entry["name"]: entry["type"] for entry in idl["types"]}

    @property
    def instruction_names(self) -> list[str]:
        return list(self._instructions)

    def instruction(self, name: str, accounts: Mapping[str, Pubkey], *arguments: int | Pubkey) -> Instruction:
        """Accounts by their names in the IDL; those with a fixed address there can be left out, and more be given."""
        spec = self._instructions[name]
        metas = [
            AccountMeta(_address(entry, accounts), entry.get("signer", False), entry.get("writable", False))
            for entry in spec["accounts"]
        ]
        encoded = [_encode(argument["type"], value) for argument, value in zip(spec["args"], arguments, strict=True)]
        return Instruction(self.program, bytes(spec["discriminator"]) + b"".join(encoded), metas)

    def account(self, name: str, data: bytes) -> dict[str, Any]:
        """The account's fields. Spare bytes after them are not looked at."""
        discriminator = self._accounts[name]
        if not data.startswith(discriminator):
            raise ValueError(f"not a {name}: begins with {data[:8].hex()}, expected {discriminator.hex()}")
        fields: dict[str, Any] = self._decode({"defined": {"name": name}}, data, len(discriminator))[0]
        return fields

    def event(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Name and fields of an event, from its discriminator on."""
        name = self._events[data[:8]]
        fields, end = self._decode({"defined": {"name": name}}, data, 8)
        if end != len(data):
            raise ValueError(f"{name} has {len(data) - end} bytes too many")
        return name, fields

    def _decode(self, kind: Any, data: bytes, at: int) -> tuple[Any, int]:
        """The value at `at` and the place after it."""
        match kind:
            case "pubkey":
                return Pubkey.from_bytes(data[at : at + 32]), at + 32
            case str():
                return struct.unpack_from(NUMBERS[kind], data, at)[0], at + struct.calcsize(NUMBERS[kind])
            case {"option": inner}:
                return (None, at + 1) if data[at] == 0 else self._decode(inner, data, at + 1)
            case {"vec": inner}:
                return self._decode_many(inner, struct.unpack_from("<I", data, at)[0], data, at + 4)
            case {"array": [inner, count]}:
                return self._decode_many(inner, count, data, at)
            case {"defined": {"name": name}}:
                return self._decode_struct(self._types[name]["fields"], data, at)
        raise NotImplementedError(f"IDL type {kind}")

    def _decode_many(self, kind: Any, count: int, data: bytes, at: int) -> tuple[list[Any], int]:
        values = []
        for _ in range(count):
            value, at = self._decode(kind, data, at)
            values.append(value)
        return values, at

    def _decode_struct(self, fields: list[Any], data: bytes, at: int) -> tuple[dict[str, Any], int]:
        values = {}
        for field in fields:
            values[field["name"]], at = self._decode(field["type"], data, at)
        return values, at


def _address(entry: Mapping[str, Any], accounts: Mapping[str, Pubkey]) -> Pubkey:
    name: str = entry["name"]
    if name in accounts:
        return accounts[name]
    return Pubkey.from_string(entry["address"])


def _encode(kind: str, value: int | Pubkey) -> bytes:
    return bytes(value) if kind == "pubkey" else struct.pack(NUMBERS[kind], value)
