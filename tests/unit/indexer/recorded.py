"""Transactions as a node gives them, made of a tree of calls: what ran and what was logged then fit each other."""

import base64
from dataclasses import dataclass, field
from typing import Any

import msgspec
from solders.pubkey import Pubkey

from indexer.cpi import EVENT_TAG, event_authority
from indexer.decode import Decoded, Decoder, EventSources
from indexer.idl import parse_idl
from indexer.idl_types import Idl
from indexer.transaction import parse_transaction
from tests.unit.indexer.base58_encode import base58_of

VAULT = str(Pubkey(bytes([7]) * 32))
ROUTER = str(Pubkey(bytes([8]) * 32))
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
BUDGET = "ComputeBudget111111111111111111111111111111"
ED25519 = "Ed25519SigVerify111111111111111111111111111"
AUTHORITY = event_authority(VAULT)
PAYER = str(Pubkey(bytes([9]) * 32))
DEPOSITED = bytes(range(8))
IDL: dict[str, Any] = {
    "address": VAULT,
    "metadata": {"name": "vault", "version": "0.1.0", "spec": "0.1.0"},
    "instructions": [],
    "events": [{"name": "Deposited", "discriminator": list(DEPOSITED)}],
    "errors": [{"code": 6000, "name": "Insufficient", "msg": "not enough"}, {"code": 6001, "name": "Paused"}],
    "types": [
        {"name": "Deposited", "type": {"kind": "struct", "fields": [{"name": "amount", "type": "u64"}]}},
    ],
}


def deposited(amount: int) -> bytes:
    return DEPOSITED + amount.to_bytes(8, "little")


@dataclass
class Call:
    """Steps are what it does in turn: lines that it logs, as they stand in the logs, and calls of its own."""

    program: str
    steps: list["str | Call"] = field(default_factory=list)
    data: bytes = b"\x01"
    accounts: tuple[str, ...] = ()
    fails: str | None = None
    silent: bool = False

    def lines(self, depth: int = 1) -> list[str]:
        if self.silent:
            return []
        inside = [line for step in self.steps for line in ([step] if isinstance(step, str) else step.lines(depth + 1))]
        used = f"Program {self.program} consumed 5000 of 200000 compute units"
        ended = f"Program {self.program} success" if self.fails is None else f"Program {self.program} {self.fails}"
        return [f"Program {self.program} invoke [{depth}]", *inside, used, ended]

    def called(self, depth: int = 2) -> list[tuple["Call", int]]:
        """What it calls, and what that calls, in order, with their depth."""
        calls = [step for step in self.steps if isinstance(step, Call)]
        return [one for call in calls for one in [(call, depth), *call.called(depth + 1)]]


def emit(*slices: bytes) -> str:
    return "Program data: " + " ".join(base64.b64encode(one).decode() for one in slices)


def emit_cpi(payload: bytes, program: str = VAULT, authority: str = AUTHORITY, tag: bytes = EVENT_TAG) -> Call:
    return Call(program, data=tag + payload, accounts=(authority,))


def transaction(*calls: Call, err: object = None, logs: list[str] | None = None) -> dict[str, Any]:
    """A getTransaction result of encoding json; `logs` instead of those of the calls."""
    everything = [one for call in calls for one in [call, *(inner for inner, _ in call.called())]]
    keys = list(dict.fromkeys([PAYER, *(key for one in everything for key in (one.program, *one.accounts))]))
    return {
        "slot": 5,
        "blockTime": 1_700_000_000,
        "version": 0,
        "meta": {
            "err": err,
            "logMessages": [line for call in calls for line in call.lines()] if logs is None else logs,
            "innerInstructions": [
                {"index": index, "instructions": [_inner(one, depth, keys) for one, depth in call.called()]}
                for index, call in enumerate(calls)
                if call.called()
            ],
            "loadedAddresses": {"writable": [], "readonly": []},
        },
        "transaction": {
            "signatures": ["signature"],
            "message": {"accountKeys": keys, "instructions": [_instruction(call, keys) for call in calls]},
        },
    }


def _instruction(call: Call, keys: list[str]) -> dict[str, Any]:
    accounts = [keys.index(key) for key in call.accounts]
    return {"programIdIndex": keys.index(call.program), "accounts": accounts, "data": base58_of(call.data)}


def _inner(call: Call, depth: int, keys: list[str]) -> dict[str, Any]:
    return _instruction(call, keys) | {"stackHeight": depth}


def idl_of(document: dict[str, Any]) -> Idl:
    return parse_idl(msgspec.json.encode(document))


def decode(recorded: dict[str, Any], event_sources: EventSources = "both", idl: dict[str, Any] = IDL) -> Decoded:
    decoder = Decoder(idl_of(idl), VAULT, event_sources=event_sources)
    return decoder.decode(parse_transaction(msgspec.json.encode(recorded)))


def inner(recorded: dict[str, Any]) -> list[dict[str, Any]]:
    """All inner instructions, to be changed in place."""
    return [one for group in recorded["meta"]["innerInstructions"] for one in group["instructions"]]


def amounts(decoded: Decoded) -> list[tuple[int, str, object]]:
    return [(event.ordinal, event.source, event.fields["amount"]) for event in decoded.events]
