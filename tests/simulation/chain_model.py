"""A chain made from a seed: skipped slots, forks that are left and come back to, the program's transactions."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from solders.pubkey import Pubkey
from solders.signature import Signature

from indexer.cpi import EVENT_TAG, event_authority
from tests.unit.indexer.base58_encode import base58_of

ROOT = Path(__file__).parents[2]
IDL_PATH = ROOT / "programs" / "artifacts" / "vault_manager.json"
IDL: dict[str, Any] = json.loads(IDL_PATH.read_bytes())
PROGRAM: str = IDL["address"]
AUTHORITY = str(Pubkey.find_program_address([b"authority"], Pubkey.from_string(PROGRAM))[0])
EVENT_AUTHORITY = event_authority(PROGRAM)
DISCRIMINATORS = {event["name"]: bytes(event["discriminator"]) for event in IDL["events"]}
FIELDS = {t["name"]: t["type"]["fields"] for t in IDL["types"] if t["name"] in DISCRIMINATORS}
SIZES = {"u8": 1, "u64": 8, "i64": 8}
SLOT_S = 0.4
FINAL_AFTER = 32
"""A block is final when its fork is so many slots ahead of it."""
EPISODE_MAX = 20
"""Slots for which a fork may stay undecided: fewer than make it final."""
FOREVER = 10**9
KEYS = [str(Pubkey(bytes([n]) * 32)) for n in range(1, 200)]


class Emitted(NamedTuple):
    """An event, and its place in the transaction."""

    name: str
    fields: dict[str, Any]


class Transaction(NamedTuple):
    signature: str
    events: tuple[Emitted, ...]
    failed: bool = False
    mentions_only: bool = False


class Block(NamedTuple):
    slot: int
    blockhash: str
    transactions: tuple[Transaction, ...]
    windows: tuple[tuple[int, int], ...]
    """Head slots (from, before) at which the cluster takes it for a part of the chain."""

    def is_in_chain(self, head: int) -> bool:
        return self.slot <= head and any(start <= head < end for start, end in self.windows)


class ChainEvent(NamedTuple):
    """What must be in the store, and nothing else."""

    signature: str
    slot: int
    transaction_index: int
    ordinal: int
    name: str
    fields: dict[str, Any]


class ChainModel:
    """Of one seed. `slots` carry transactions; after them the chain goes on with empty blocks."""

    def __init__(self, seed: int, *, slots: int = 90) -> None:
        self._random = Random(f"chain {seed}")
        self.slots = slots
        self.blocks: dict[int, Block] = {}
        self._chains: dict[int, Sequence[Block]] = {}
        """By the cluster's slot."""
        self._names = 0
        self._vaults: dict[str, tuple[int, int]] = {}
        self._grow()
        self.by_signature: dict[str, list[int]] = {}
        for block in self.blocks.values():
            for transaction in block.transactions:
                self.by_signature.setdefault(transaction.signature, []).append(block.slot)

    def chain(self, head: int) -> Sequence[Block]:
        """From the newest block down, as it is when `head` is the cluster's slot."""
        if head not in self._chains:
            slots = range(min(head, self.slots - 1), -1, -1)
            blocks = (self.blocks[slot] for slot in slots if slot in self.blocks)
            self._chains[head] = tuple(block for block in blocks if block.is_in_chain(head))
        return self._chains[head]

    def block(self, slot: int, head: int) -> Block | None:
        """None where it was skipped."""
        if slot >= self.slots:
            return Block(slot, f"hash-{slot}", (), ((slot, FOREVER),)) if slot <= head else None
        block = self.blocks.get(slot)
        return block if block is not None and block.is_in_chain(head) else None

    def parent_slot(self, slot: int, head: int) -> int:
        """Of the block of a slot."""
        below = range(slot - 1, -1, -1)
        return next((s for s in below if self.block(s, head) is not None), 0)

    def events(self) -> list[ChainEvent]:
        """Of what is final in the end, in chain order."""
        blocks = sorted(self.chain(FOREVER - 1), key=lambda block: block.slot)
        return [
            ChainEvent(transaction.signature, block.slot, index, (number + 1) * 65_536, emitted.name, emitted.fields)
            for block in blocks
            for index, transaction in enumerate(block.transactions)
            if not transaction.failed
            for number, emitted in enumerate(transaction.events)
        ]

    def failed(self) -> set[tuple[str, int]]:
        """Signature and slot of what failed and is final in the end."""
        return {(t.signature, b.slot) for b in self.chain(FOREVER - 1) for t in b.transactions if t.failed}

    def _grow(self) -> None:
        slot = 0
        while slot < self.slots:
            if 10 < slot < self.slots - EPISODE_MAX and self._random.random() < 0.06:
                slot = self._grow_episode(slot)
            else:
                if self._random.random() > 0.1:
                    self._add(slot, self._transactions(slot, self._vaults), ((slot, FOREVER),), "")
                slot += 1

    def _grow_episode(self, start: int) -> int:
        """Two forks: A is the chain first, then B, then the one that wins. Returns the slot after it."""
        switch = start + self._random.randint(1, EPISODE_MAX // 2)
        end = switch + self._random.randint(1, EPISODE_MAX // 2)
        winner = self._random.choice("AB")
        states = {"A": dict(self._vaults), "B": dict(self._vaults)}
        windows = {"A": [(start, switch)], "B": [(switch, end)]}
        windows[winner].append((end, FOREVER))
        sent: list[Transaction] = []
        for slot in range(start, end):
            fork = self._random.choice("AB")
            if self._random.random() < 0.1:
                continue
            again = [t for t in sent if self._random.random() < 0.5]
            sent = [t for t in sent if t not in again]
            transactions = self._transactions(slot, states[fork])
            known = {t.signature for b in self.blocks.values() if f"-{fork}" in b.blockhash for t in b.transactions}
            again = [t for t in again if t.signature not in known]
            sent += [t for t in transactions if t.events and not t.failed]
            # What one fork dropped lands in the other, in another slot, with the balances that it has there.
            landed = tuple(self._again(t, slot, states[fork]) for t in again)
            self._add(slot, transactions + landed, tuple(windows[fork]), f"-{fork}{start}")
        self._vaults = states[winner]
        return end

    def _add(
        self, slot: int, transactions: tuple[Transaction, ...], windows: tuple[tuple[int, int], ...], mark: str
    ) -> None:
        self.blocks[slot] = Block(slot, f"hash-{slot}{mark}", transactions, windows)

    def _transactions(self, slot: int, vaults: dict[str, tuple[int, int]]) -> tuple[Transaction, ...]:
        if slot < 3:
            return ()
        if AUTHORITY not in vaults:
            vaults[AUTHORITY] = (0, 0)
            return (Transaction(self._signature(), (_emitted("AuthorityInitialized", authority=AUTHORITY),)),)
        return tuple(self._transaction(vaults) for _ in range(self._random.choice([0, 0, 1, 1, 1, 2, 5])))

    def _transaction(self, vaults: dict[str, tuple[int, int]]) -> Transaction:
        kind = self._random.random()
        if kind < 0.1:
            return Transaction(self._signature(), (), mentions_only=True)
        if kind < 0.2:
            return Transaction(self._signature(), (), failed=True)
        events = tuple(self._event(vaults) for _ in range(self._random.choice([1, 1, 1, 2, 3])))
        return Transaction(self._signature(), events)

    def _again(self, transaction: Transaction, slot: int, vaults: dict[str, tuple[int, int]]) -> Transaction:
        return Transaction(transaction.signature, tuple(self._event(vaults) for _ in transaction.events))

    def _event(self, vaults: dict[str, tuple[int, int]]) -> Emitted:
        names = [name for name in vaults if name != AUTHORITY]
        if not names or (len(names) < 4 and self._random.random() < 0.2):
            vault = KEYS[len(vaults)]
            vaults[vault] = (0, 0)
            return _emitted("VaultInitialized", vault=vault)
        vault = self._random.choice(names)
        total, locked = vaults[vault]
        name = self._random.choice(["Deposited", "Withdrawn", "CollateralLocked", "CollateralUnlocked"])
        limit = {"Withdrawn": total - locked, "CollateralLocked": total - locked, "CollateralUnlocked": locked}.get(
            name
        )
        if limit is None or limit == 0:
            name, limit = "Deposited", 2**40
        amount = self._random.randint(1, limit)
        total += {"Deposited": amount, "Withdrawn": -amount}.get(name, 0)
        locked += {"CollateralLocked": amount, "CollateralUnlocked": -amount}.get(name, 0)
        vaults[vault] = (total, locked)
        balances = {"total_balance": total, "locked_balance": locked, "available_balance": total - locked}
        return _emitted(name, vault=vault, amount=amount, **balances)

    def _signature(self) -> str:
        self._names += 1
        return str(Signature(self._random.randbytes(64)))


def _emitted(name: str, **given: Any) -> Emitted:
    """All fields of the event; those not given are of no interest."""
    return Emitted(
        name, {f["name"]: given.get(f["name"], KEYS[-1] if f["type"] == "pubkey" else 0) for f in FIELDS[name]}
    )


def body(transaction: Transaction, slot: int, index: int) -> dict[str, Any]:
    """The result of getTransaction, of encoding json."""
    keys = [KEYS[0], PROGRAM, EVENT_AUTHORITY, KEYS[1]]
    called = 3 if transaction.mentions_only else 1
    inner = [
        {"programIdIndex": 1, "accounts": [2], "data": _event_data(one), "stackHeight": 2} for one in transaction.events
    ]
    return {
        "slot": slot,
        "transactionIndex": index,
        "blockTime": 1_000_000 + slot,
        "version": 0,
        "transaction": {
            "signatures": [transaction.signature],
            "message": {"accountKeys": keys, "instructions": [{"programIdIndex": called, "accounts": [1], "data": ""}]},
        },
        "meta": {
            "err": {"InstructionError": [0, {"Custom": 6002}]} if transaction.failed else None,
            "logMessages": list(_logs(keys[called], transaction)),
            "innerInstructions": [{"index": 0, "instructions": inner}] if inner else [],
            "loadedAddresses": {"writable": [], "readonly": []},
        },
    }


def _logs(program: str, transaction: Transaction) -> Iterator[str]:
    yield f"Program {program} invoke [1]"
    for _ in transaction.events:
        yield f"Program {program} invoke [2]"
        yield f"Program {program} success"
    yield (
        f"Program {program} failed: custom program error: 0x1772"
        if transaction.failed
        else f"Program {program} success"
    )


def _event_data(emitted: Emitted) -> str:
    types = {field["name"]: field["type"] for field in FIELDS[emitted.name]}
    payload = b"".join(
        bytes(Pubkey.from_string(value)) if types[name] == "pubkey" else value.to_bytes(SIZES[types[name]], "little")
        for name, value in emitted.fields.items()
    )
    return base58_of(EVENT_TAG + DISCRIMINATORS[emitted.name] + payload)
