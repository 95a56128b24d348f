"""Nodes of the simulated cluster: what each would answer by its own view of the chain, and how it fails to."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from indexer.endpoint import Answer, Unusable
from indexer.errors import RpcRefused
from tests.simulation.chain_model import AUTHORITY, FINAL_AFTER, PROGRAM, SLOT_S, Block, ChainModel, Transaction, body

T = TypeVar("T")
TIMEOUT_S = 5.0
INDEX_LAG_SLOTS_MAX = 20
"""For so long a signature may be missing from lists: less than it takes a slot to become final."""
LATE_LAG_SLOTS_MAX = 90
"""As above, of a node that fails at it: coverage then cannot be right, and the re-sweep has to mend it."""


class Refused(Exception):
    """A clear no."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Listed(NamedTuple):
    slot: int
    signature: str


class Node:
    """One node, with its lag, its fork, its order within a slot, and how much of history it keeps."""

    def __init__(self, chain: ChainModel, seed: str, *, now_slot: Any) -> None:
        self.chain = chain
        self._random = Random(seed)
        self._now_slot = now_slot
        self.lag_slots = 0
        self.first_available = 0
        self.lags_index = False
        self.index_lag_max = INDEX_LAG_SLOTS_MAX
        self.lost_blocks = range(0)
        """As after a start from a snapshot: the node says that these slots were skipped, or lost."""
        self.hides = 0.0
        """So many of the signatures are in none of its lists, ever."""
        self.page_max = self._random.choice([3, 10, 1_000])
        self._order = self._random.choice(["asc", "desc", "executed"])
        self._index_lag: dict[str, int] = {}
        self._hidden: dict[str, bool] = {}
        self._last_listed: tuple[tuple[object, ...], list[Listed]] = ((), [])
        """With what it depends on: a page after another asks for the same."""

    @property
    def head(self) -> int:
        return max(int(self._now_slot()) - self.lag_slots, 0)

    def answer(self, method: str, params: Sequence[Any]) -> object:
        """Raises Refused."""
        return getattr(self, f"_{method}")(*params)

    def _getGenesisHash(self) -> object:  # noqa: N802 the RPC's own names, here and below
        return "genesis"

    def _getVersion(self) -> object:  # noqa: N802
        return {"solana-core": "4.1.2"}

    def _getSlot(self, options: dict[str, Any]) -> object:  # noqa: N802
        return self._head_at(options["commitment"])

    def _getFirstAvailableBlock(self) -> object:  # noqa: N802
        return self.first_available

    def _getAccountInfo(self, address: str, options: dict[str, Any]) -> object:  # noqa: N802
        head = self._head_at(options["commitment"])
        exists = address == PROGRAM or (address == AUTHORITY and self._has_authority(head))
        return {"context": {"slot": head}, "value": {"executable": address == PROGRAM} if exists else None}

    def _getSignaturesForAddress(self, address: str, options: dict[str, Any]) -> object:  # noqa: N802
        head = self._head_at(options["commitment"])
        if head < options.get("minContextSlot", 0):
            raise Refused(-32016)
        listed = self._listed(head)
        if "before" in options:
            names = [one.signature for one in listed]
            if options["before"] not in names:
                return []
            listed = listed[names.index(options["before"]) + 1 :]
        return [
            {"signature": one.signature, "slot": one.slot, "blockTime": 1_000_000 + one.slot}
            for one in listed[: min(options["limit"], self.page_max)]
        ]

    def _getTransaction(self, signature: str, options: dict[str, Any]) -> object:  # noqa: N802
        found = self._find(signature, self._head_at(options["commitment"]))
        if found is None:
            return None
        block, index, transaction = found
        return body(transaction, block.slot, index)

    def _getBlock(self, slot: int, options: dict[str, Any]) -> object:  # noqa: N802
        if slot > self._head_at(options["commitment"]):
            raise Refused(-32004)
        if slot < self.first_available:
            raise Refused(-32001)
        block = self.chain.block(slot, self.head)
        if block is None or slot in self.lost_blocks:
            raise Refused(-32007)
        told = {"blockhash": block.blockhash, "parentSlot": self.chain.parent_slot(slot, self.head)}
        if options["transactionDetails"] == "none":
            return told
        return told | {"signatures": [t.signature for t in block.transactions]}

    def _getBlockTime(self, slot: int) -> object:  # noqa: N802
        return 1_000_000 + slot

    def _getSignatureStatuses(self, signatures: list[str], options: dict[str, Any]) -> object:  # noqa: N802
        return {"context": {"slot": self.head}, "value": [self._status(signature) for signature in signatures]}

    def _head_at(self, commitment: str) -> int:
        return max(self.head - FINAL_AFTER, 0) if commitment == "finalized" else self.head

    def _has_authority(self, head: int) -> bool:
        """Accounts are not pruned with history."""
        emitted = (e for b in self.chain.chain(self.head) if b.slot <= head for t in b.transactions for e in t.events)
        return any(one.name == "AuthorityInitialized" for one in emitted)

    def _status(self, signature: str) -> object:
        found = self._find(signature, self.head)
        if found is None:
            return None
        slot = found[0].slot
        status = "finalized" if slot <= self._head_at("finalized") else "confirmed"
        return {"slot": slot, "confirmationStatus": status, "err": None}

    def _find(self, signature: str, head: int) -> tuple[Block, int, Transaction] | None:
        for slot in self.chain.by_signature.get(signature, ()):
            block = self.chain.block(slot, self.head)
            if block is None or slot > head or slot < self.first_available:
                continue
            for index, transaction in enumerate(block.transactions):
                if transaction.signature == signature:
                    return block, index, transaction
        return None

    def _chain(self, head: int) -> list[Block]:
        """As this node takes it to be, up to a slot."""
        return [b for b in self.chain.chain(self.head) if self.first_available <= b.slot <= head]

    def _listed(self, head: int) -> list[Listed]:
        view = (head, self.head, self.first_available, self.lags_index, self.hides)
        if view != self._last_listed[0]:
            self._last_listed = view, self._listed_at(head)
        return self._last_listed[1]

    def _listed_at(self, head: int) -> list[Listed]:
        listed = []
        for block in self._chain(head):
            names = [t.signature for t in block.transactions if self._is_indexed(t.signature, block.slot)]
            listed += [Listed(block.slot, name) for name in self._ordered(names)]
        return listed

    def _ordered(self, names: list[str]) -> list[str]:
        return names[::-1] if self._order == "executed" else sorted(names, reverse=self._order == "desc")

    def _is_indexed(self, signature: str, slot: int) -> bool:
        if self.hides and self._is_hidden(signature):
            return False
        if not self.lags_index:
            return True
        lag = self._index_lag.get(signature)
        if lag is None:
            lag = self._index_lag[signature] = self._random.choice(
                [0, 0, 0, self._random.randint(1, self.index_lag_max)]
            )
        return slot + lag <= self.head

    def _is_hidden(self, signature: str) -> bool:
        if signature not in self._hidden:
            self._hidden[signature] = Random(f"hidden {signature}").random() < self.hides
        return self._hidden[signature]


class Faults:
    """How one endpoint fails, by a seed, for as long as `on`."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self.on = True
        self.rate = self._random.choice([0.0, 0.05, 0.2, 0.5])

    def before(self) -> tuple[float, str | None]:
        """Seconds that the answer takes, and what becomes of it instead."""
        if not self.on:
            return 0.01, None
        took_s = self._random.choice([0.001, 0.02, 0.1, 0.4])
        if self._random.random() >= self.rate:
            return took_s, None
        return took_s, self._random.choice(
            ["429", "500", "timeout", "cut", "nonsense", "mangled", "mangled", "mangled"]
        )

    def mangle(self, method: str, result: Any) -> Any:
        """What a node gives that is not wrong, and not the whole either."""
        if method == "getTransaction" and result is not None:
            flaw = self._random.choice(["null", "logs", "inner", "inner empty", "inner cut", "bare", "index", "meta"])
            if flaw == "null":
                return None
            if flaw == "meta":
                return result | {"meta": None}
            if flaw == "index":
                return {name: value for name, value in result.items() if name != "transactionIndex"}
            cut = [one | {"instructions": one["instructions"][:-1]} for one in result["meta"]["innerInstructions"]]
            change: dict[str, dict[str, Any]] = {
                "logs": {"logMessages": None},
                "inner": {"innerInstructions": None},
                "inner cut": {"innerInstructions": cut},
                "bare": {"innerInstructions": [], "logMessages": []},
            }
            return result | {"meta": result["meta"] | change.get(flaw, {"innerInstructions": []})}
        if method == "getSignaturesForAddress" and result:
            cut = result[: self._random.randint(1, len(result))]
            return self._random.choice([cut, [cut[0], *cut]])
        if method in ("getBlockTime", "getSignatureStatuses"):
            return None if method == "getBlockTime" else result | {"value": [None for _ in result["value"]]}
        return result


class SimulatedEndpoint:
    """Implements Endpoint. Behind one address there may be several nodes, of different age."""

    def __init__(self, name: str, nodes: Sequence[Node], faults: Faults, random: Random) -> None:
        self.name = name
        self.connections = 1
        self.nodes, self.faults, self._random = nodes, faults, random

    def anew(self) -> Self:
        return type(self)(self.name, self.nodes, self.faults, self._random)

    async def close(self) -> None: ...

    async def ask(self, method: str, params: Sequence[object], decoder: "msgspec.json.Decoder[T]") -> Answer[T]:
        took_s, fault = self.faults.before()
        await asyncio.sleep(TIMEOUT_S if fault == "timeout" else took_s)
        if fault in ("cut", "timeout"):
            self.connections += 1
        if fault in ("429", "500", "cut", "timeout", "nonsense"):
            raise Unusable(f"{self.name}: {fault}", 0.7 if fault == "429" else 0.0)
        try:
            result = self._random.choice(self.nodes).answer(method, msgspec.to_builtins(params))
        except Refused as refused:
            if refused.code in (-32004, -32016):
                raise Unusable(f"{self.name}: {refused.code}") from refused
            raise RpcRefused(self.name, method, refused.code, "no") from refused
        if fault == "mangled":
            result = self.faults.mangle(method, result)
        raw = msgspec.json.encode(result)
        try:
            return Answer(decoder.decode(raw), raw)
        except msgspec.DecodeError as error:
            raise Unusable(f"{self.name}: {error}") from error


def slot_at(time_s: float) -> int:
    return int(time_s / SLOT_S)
