"""Encodes and decodes by an Anchor IDL, so that the tests hold the programs to what their IDLs say."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

# Tag before the discriminator of an event that was emitted by `emit_cpi!`: sha256("anchor:event")[:8], little-endian.
EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")

NUMBERS = {"u8": "<B", "u64": "<Q", "i64": "<q"}

# What the IDL names, decoded: int, Pubkey, None, list, or Fields again.
Fields: TypeAlias = dict[str, Any]


class AnchorIdl:
    def __init__(self, path: Path) -> None:
        self._idl = json.loads(path.read_text(encoding="utf-8"))
        self.program = Pubkey.from_string(self._idl["address"])
        self.errors: dict[int, str] = {error["code"]: error["name"] for error in self._idl["errors"]}
        self.messages: dict[int, str] = {error["code"]: error["msg"] for error in self._idl["errors"]}
        self._instructions = {entry["name"]: entry for entry in self._idl["instructions"]}
        self._types = {entry["name"]: entry["type"] for entry in self._idl["types"]}

    @property
    def instructions(self) -> list[str]:
        return list(self._instructions)

    def accounts_of(self, instruction: str, flag: str | None = None) -> list[str]:
        """All, or those with the flag, which is `signer` or `writable`."""
        accounts = self._instructions[instruction]["accounts"]
        return [account["name"] for account in accounts if flag is None or account.get(flag, False)]

    def arguments_of(self, instruction: str) -> list[str]:
        return [argument["name"] for argument in self._instructions[instruction]["args"]]

    def instruction(self, name: str, accounts: Mapping[str, Pubkey], *arguments: object) -> Instruction:
        spec = self._instructions[name]
        metas = [
            AccountMeta(accounts[entry["name"]], entry.get("signer", False), entry.get("writable", False))
            for entry in spec["accounts"]
        ]
        encoded = [self._encode(arg["type"], value) for arg, value in zip(spec["args"], arguments, strict=True)]
        return Instruction(self.program, bytes(spec["discriminator"]) + b"".join(encoded), metas)

    def account(self, name: str, data: bytes) -> Fields:
        """Spare bytes at the end of the account are not looked at."""
        [discriminator] = [bytes(entry["discriminator"]) for entry in self._idl["accounts"] if entry["name"] == name]
        assert data.startswith(discriminator)
        fields: Fields = self._decode({"defined": {"name": name}}, data, len(discriminator))[0]
        return fields

    @property
    def kinds(self) -> dict[bytes, str]:
        """Names of accounts, by discriminator."""
        return {bytes(entry["discriminator"]): entry["name"] for entry in self._idl["accounts"]}

    def account_name(self, data: bytes) -> str:
        """Of which kind the account is."""
        return self.kinds[data[:8]]

    def place(self, data: bytes, field: str) -> int:
        """Where in the account the field begins."""
        at = 8  # after the discriminator
        for entry in self._types[self.account_name(data)]["fields"]:
            if entry["name"] == field:
                return at
            _, at = self._decode(entry["type"], data, at)
        raise AssertionError(f"there is no field {field}")

    def event(self, data: bytes) -> tuple[str, Fields]:
        """`data` without the tag; every byte of it must be used."""
        for entry in self._idl["events"]:
            discriminator = bytes(entry["discriminator"])
            if data.startswith(discriminator):
                fields, end = self._decode({"defined": {"name": entry["name"]}}, data, len(discriminator))
                assert end == len(data)
                return entry["name"], fields
        raise AssertionError(f"no event of the IDL starts with {data[:8].hex()}")

    def _encode(self, kind: str, value: Any) -> bytes:
        return bytes(value) if kind == "pubkey" else struct.pack(NUMBERS[kind], value)

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
        raise AssertionError(f"the tests do not know the IDL type {kind}")

    def _decode_many(self, kind: Any, count: int, data: bytes, at: int) -> tuple[list[Any], int]:
        values = []
        for _ in range(count):
            value, at = self._decode(kind, data, at)
            values.append(value)
        return values, at

    def _decode_struct(self, fields: list[Any], data: bytes, at: int) -> tuple[Fields, int]:
        values: Fields = {}
        for field in fields:
            values[field["name"]], at = self._decode(field["type"], data, at)
        return values, at
