"""Transactions of a vault program as a node returns them, one event each, written by `emit!` or by `emit_cpi!`."""

import base64
import hashlib
import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from solders.pubkey import Pubkey

from indexer.base58 import ALPHABET
from indexer.cpi import EVENT_TAG, event_authority

VAULTS = 1_000
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
BUDGET = "ComputeBudget111111111111111111111111111111"
MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
DATA = "Program data: "
FIELDS = [("user", "pubkey"), ("vault", "pubkey"), ("amount", "u64"), ("new_balance", "u64"), ("timestamp", "i64")]


class Input(NamedTuple):
    """`emitted` and `self_called` say the same: the payload in a log line, or in an instruction to itself."""

    idl: bytes
    program: str
    emitted: list[bytes]
    self_called: list[bytes]
    amounts: int
    """The sum of all."""


def generated(count: int) -> Input:
    program = str(address("program"))
    lines = [json.dumps(one, separators=(",", ":")).encode() for one in transactions(count, program)]
    return Input(idl(program), program, lines, self_calling(lines, program), sum(amounts(count)))


def recorded(folder: Path) -> Input:
    """What the peers' harness has generated."""
    expected = json.loads((folder / "expect.json").read_bytes())
    program: str = expected["program_id"]
    lines = (folder / "txs.ndjson").read_bytes().splitlines()
    idl = (folder / "idl.new.json").read_bytes()
    return Input(idl, program, lines, self_calling(lines, program), expected["sum_amount"])


def self_calling(lines: list[bytes], program: str) -> list[bytes]:
    authority = event_authority(program)
    return [
        json.dumps(as_self_call(json.loads(one), program, authority), separators=(",", ":")).encode() for one in lines
    ]


def as_self_call(transaction: dict[str, Any], program: str, authority: str) -> dict[str, Any]:
    """The same, had the program written `emit_cpi!` where it wrote `emit!`."""
    meta, message = transaction["meta"], transaction["transaction"]["message"]
    at = next(number for number, line in enumerate(meta["logMessages"]) if line.startswith(DATA))
    payload = base64.b64decode(meta["logMessages"][at][len(DATA) :])
    consumed = f"Program {program} consumed 2004 of 150000 compute units"
    meta["logMessages"][at : at + 1] = [f"Program {program} invoke [2]", consumed, f"Program {program} success"]
    keys = message["accountKeys"]
    keys.append(authority)
    called = {"programIdIndex": keys.index(program), "accounts": [len(keys) - 1], "stackHeight": 2}
    (inner,) = meta["innerInstructions"]
    inner["instructions"].append(called | {"data": base58(EVENT_TAG + payload)})
    meta["preBalances"].append(0)
    meta["postBalances"].append(0)
    return transaction


def idl(program: str) -> bytes:
    fields = [{"name": name, "type": type_} for name, type_ in FIELDS]
    return json.dumps(
        {
            "address": program,
            "metadata": {"name": "collateral_vault", "version": "0.1.0", "spec": "0.1.0"},
            "instructions": [],
            "events": [{"name": "DepositEvent", "discriminator": list(DISCRIMINATOR)}],
            "types": [{"name": "DepositEvent", "type": {"kind": "struct", "fields": fields}}],
        }
    ).encode()


DISCRIMINATOR = hashlib.sha256(b"event:DepositEvent").digest()[:8]


def address(name: str) -> Pubkey:
    return Pubkey(hashlib.sha256(name.encode()).digest())


def amounts(count: int) -> Iterator[int]:
    chance = random.Random(7)
    return (chance.randrange(1, 10 ** chance.randrange(6, 13)) for _ in range(count))


def transactions(count: int, program: str) -> Iterator[dict[str, Any]]:
    chance = random.Random(8)
    for number, amount in enumerate(amounts(count)):
        owner = chance.randrange(VAULTS)
        yield transaction(number, amount, program, address(f"user {owner}"), address(f"vault {owner}"))


def transaction(number: int, amount: int, program: str, user: Pubkey, vault: Pubkey) -> dict[str, Any]:
    slot, seconds = 350_000_000 + number // 2, 1_760_000_000 + number // 5
    payload = DISCRIMINATOR + bytes(user) + bytes(vault) + struct.pack("<QQq", amount, 2 * amount, seconds)
    own = [str(user), str(vault), str(address(f"from {user}")), str(address(f"to {vault}"))]
    keys = [*own, MINT, str(address("authority")), TOKEN, BUDGET, program]
    return {
        "blockTime": seconds,
        "meta": meta(amount, program, base64.b64encode(payload).decode(), own[0]),
        "slot": slot,
        "transactionIndex": number % 1_000,
        "transaction": {
            "message": {
                "accountKeys": keys,
                "header": {
                    "numReadonlySignedAccounts": 0,
                    "numReadonlyUnsignedAccounts": 5,
                    "numRequiredSignatures": 1,
                },
                "instructions": [
                    {"accounts": [], "data": "3bPbzL", "programIdIndex": 7, "stackHeight": 1},
                    {"accounts": [], "data": "3gC9a", "programIdIndex": 7, "stackHeight": 1},
                    {
                        "accounts": [0, 1, 2, 3, 4, 5, 6],
                        "data": base58(payload[:16]),
                        "programIdIndex": 8,
                        "stackHeight": 1,
                    },
                ],
                "recentBlockhash": str(address(f"block {slot}")),
            },
            "signatures": [base58(hashlib.sha512(f"signature {number}".encode()).digest())],
        },
        "version": "legacy",
    }


def meta(amount: int, program: str, payload: str, user: str) -> dict[str, Any]:
    balances = [21_000_000_000, *[2_039_280] * 3, 389_000_000_000, 0, 934_087_680, 1, 1_141_440]
    transfer = {"accounts": [2, 4, 3, 0], "data": base58(b"\x0c" + struct.pack("<QB", amount, 6))}
    return {
        "computeUnitsConsumed": 41_300,
        "err": None,
        "fee": 5001,
        "innerInstructions": [
            {"index": 2, "instructions": [transfer | {"programIdIndex": 6, "stackHeight": 2}]},
        ],
        "loadedAddresses": {"readonly": [], "writable": []},
        "logMessages": [
            *[f"Program {BUDGET} invoke [1]", f"Program {BUDGET} success"] * 2,
            f"Program {program} invoke [1]",
            "Program log: Instruction: Deposit",
            f"Program {TOKEN} invoke [2]",
            "Program log: Instruction: TransferChecked",
            f"Program {TOKEN} consumed 6200 of {168_000 - amount % 9_000} compute units",
            f"Program {TOKEN} success",
            DATA + payload,
            f"Program {program} consumed {32_000 + amount % 9_000} of 199700 compute units",
            f"Program {program} success",
        ],
        "postBalances": [balances[0] - 5001, *balances[1:]],
        "postTokenBalances": [token_balance(2, user, amount), token_balance(3, user, 3 * amount)],
        "preBalances": balances,
        "preTokenBalances": [token_balance(2, user, 2 * amount), token_balance(3, user, 2 * amount)],
        "rewards": [],
        "status": {"Ok": None},
    }


def token_balance(account: int, owner: str, amount: int) -> dict[str, Any]:
    shown = {
        "amount": str(amount),
        "decimals": 6,
        "uiAmount": amount / 10**6,
        "uiAmountString": f"{amount / 10**6:.6f}",
    }
    return {"accountIndex": account, "mint": MINT, "owner": owner, "programId": TOKEN, "uiTokenAmount": shown}


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), bytearray()
    while number:
        number, digit = divmod(number, 58)
        text.append(ALPHABET[digit])
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text[::-1].decode()
