"""Every event of the vault-manager as the node itself tells it, read without any of the service's code."""

from typing import Any, NamedTuple

from solders.pubkey import Pubkey

from localnet import programs
from localnet.client import Client

CPI_EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LINES_PER_INSTRUCTION = 65_536
PAGE = 1_000


class LedgerEvent(NamedTuple):
    signature: str
    slot: int
    ordinal: int
    name: str
    fields: dict[str, Any]
    """Addresses as base58."""


async def events(rpc: Client) -> list[LedgerEvent]:
    """In no particular order; of transactions that succeeded."""
    found: list[LedgerEvent] = []
    for signature in await signatures(rpc):
        options = {"encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}
        found += _events_of(signature, await rpc.call("getTransaction", signature, options))
    return found


async def signatures(rpc: Client) -> list[str]:
    """Of all transactions that name the program, the newest first."""
    program = str(programs.vault_manager().address)
    listed: list[str] = []
    while True:
        options = {"commitment": "confirmed", "limit": PAGE} | ({"before": listed[-1]} if listed else {})
        page = await rpc.call("getSignaturesForAddress", program, options)
        if not page:
            return listed
        listed += [entry["signature"] for entry in page]


def _events_of(signature: str, transaction: dict[str, Any]) -> list[LedgerEvent]:
    if transaction["meta"]["err"] is not None:
        return []
    idl = programs.vault_manager().idl
    found = []
    for number, instruction in enumerate(_trace(transaction)):
        data = _base58(instruction["data"])
        keys = transaction["transaction"]["message"]["accountKeys"]
        if keys[instruction["programIdIndex"]] == str(idl.program) and data.startswith(CPI_EVENT_TAG):
            name, fields = idl.event(data[len(CPI_EVENT_TAG) :])
            texts = {field: str(value) if isinstance(value, Pubkey) else value for field, value in fields.items()}
            found.append(LedgerEvent(signature, transaction["slot"], number * LINES_PER_INSTRUCTION, name, texts))
    return found


def _trace(transaction: dict[str, Any]) -> list[dict[str, Any]]:
    """All instructions in the order in which they ran."""
    inner = {entry["index"]: entry["instructions"] for entry in transaction["meta"]["innerInstructions"]}
    trace: list[dict[str, Any]] = []
    for index, instruction in enumerate(transaction["transaction"]["message"]["instructions"]):
        trace += [instruction, *inner.get(index, [])]
    return trace


def _base58(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + BASE58.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
