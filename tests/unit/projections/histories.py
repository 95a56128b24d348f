"""Valid histories of vaults, as the program would emit them: a ledger that only lets happen what the program lets."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from msgspec import structs

from eventstore.facts import (
    ChainFact,
    CollateralLocked,
    CollateralTransferred,
    CollateralUnlocked,
    CoverageAdvanced,
    Deposited,
    Fact,
    TransactionFailed,
    TransactionReinstated,
    TransactionReverted,
    VaultInitialized,
    Withdrawn,
)
from eventstore.identity import key_of

U64_MAX = 2**64 - 1
Kind = Literal["deposit", "withdraw", "lock", "unlock", "transfer", "fail"]
KINDS: tuple[Kind, ...] = ("deposit", "withdraw", "lock", "unlock", "transfer", "fail")


class Step(NamedTuple):
    kind: Kind
    vault: int
    """Number of the vault, taken modulo how many there are; so with `other`."""
    other: int
    amount: int
    """As much of it happens as the vault's balances allow."""
    same_transaction: bool
    """As the step before."""


DisputeKind = Literal["revert", "reinstate", "move", "redecode", "cover"]


class Dispute(NamedTuple):
    kind: DisputeKind
    fact: int
    """Number of one of the facts that its transaction said, taken modulo how many there are."""
    by: int
    """Slots that it is moved by, or that are covered beyond it; or by how much a deposit is other than it seemed."""


DISPUTES: tuple[DisputeKind, ...] = ("revert", "reinstate", "move", "redecode", "cover")


@dataclass
class Balances:
    total: int = 0
    locked: int = 0

    @property
    def available(self) -> int:
        return self.total - self.locked

    def fields(self, prefix: str = "") -> dict[str, Any]:
        return {
            f"{prefix}total_balance": self.total,
            f"{prefix}locked_balance": self.locked,
            f"{prefix}available_balance": self.available,
        }


@dataclass
class Ledger:
    """`facts` are in chain order."""

    vaults: int
    facts: list[Fact] = field(default_factory=list)
    _balances: dict[int, Balances] = field(default_factory=dict)
    _transaction: int = 0
    _ordinal: int = 0

    def take(self, steps: Iterable[Step]) -> list[Fact]:
        for step in steps:
            self._take(step)
        return self.facts

    def _take(self, step: Step) -> None:
        if step.same_transaction:
            self._ordinal += 65_536
        else:
            self._transaction, self._ordinal = self._transaction + 1, 0
        if step.kind == "fail":
            self._transaction, self._ordinal = self._transaction + 1, 0
            failure: dict[str, Any] = {"fee_payer": "p", "error": "{}", "code": 6001, "name": None, "message": None}
            self.facts.append(TransactionFailed(**self._inclusion(), **failure))
            self._transaction += 1
            return
        mine, other = step.vault % self.vaults, step.other % self.vaults
        for number in (mine, other) if step.kind == "transfer" else (mine,):
            self._initialize(number)
        self._change(step.kind, mine, other, step.amount)

    def _initialize(self, number: int) -> None:
        if number in self._balances:
            return
        self._balances[number] = Balances()
        token: dict[str, Any] = {"token_account": f"token-account-{number}", "mint": "mint", "decimals": 6}
        self.facts.append(VaultInitialized(**self._program(), **vault_names(number), **token, **Balances().fields()))
        self._ordinal += 1

    def _change(self, kind: Kind, mine: int, other: int, wanted: int) -> None:
        balances = self._balances[mine]
        match kind:
            case "deposit":
                amount = min(wanted, U64_MAX - balances.total)
                balances.total += amount
                type_: Any = Deposited
            case "withdraw":
                amount = min(wanted, balances.available)
                balances.total -= amount
                type_ = Withdrawn
            case "lock":
                amount = min(wanted, balances.available)
                balances.locked += amount
                type_ = CollateralLocked
            case "unlock":
                amount = min(wanted, balances.locked)
                balances.locked -= amount
                type_ = CollateralUnlocked
            case _:
                self._transfer(mine, other, wanted)
                return
        by: dict[str, Any] = {"program": "position-manager"} if kind in ("lock", "unlock") else {}
        self.facts.append(type_(**self._program(), **vault_names(mine), amount=amount, **balances.fields(), **by))

    def _transfer(self, mine: int, other: int, wanted: int) -> None:
        if mine == other:  # the program refuses it
            return
        sender, receiver = self._balances[mine], self._balances[other]
        amount = min(wanted, sender.available, U64_MAX - receiver.total)
        sender.total -= amount
        receiver.total += amount
        names = {f"from_{k}": v for k, v in vault_names(mine).items()}
        names |= {f"to_{k}": v for k, v in vault_names(other).items()}
        self.facts.append(
            CollateralTransferred(
                **self._program(),
                **names,
                program="position-manager",
                amount=amount,
                **sender.fields("from_"),
                **receiver.fields("to_"),
            )
        )

    def _inclusion(self) -> dict[str, Any]:
        """Three transactions to a slot."""
        slot, index = divmod(self._transaction, 3)
        place = {"slot": 1_000 + slot, "transaction_index": index, "ordinal": self._ordinal}
        return {
            "signature": f"signature-{self._transaction}",
            "revision": 0,
            "block_time": time_of(1_000 + slot),
            **place,
        }

    def _program(self) -> dict[str, Any]:
        return {**self._inclusion(), "timestamp": time_of(1_000 + self._transaction // 3)}


@dataclass
class Disputes:
    """What is said later about the transactions of a history: more decodes, inclusions, reverts, coverage."""

    history: list[Fact]
    facts: list[Fact] = field(default_factory=list)
    """In addition to the history's."""
    _times: dict[tuple[str, int], int] = field(default_factory=dict)

    def take(self, disputes: Iterable[Dispute]) -> list[Fact]:
        for dispute in disputes:
            self._take(dispute)
        return self.facts

    def _take(self, dispute: Dispute) -> None:
        said = [fact for fact in [*self.history, *self.facts] if isinstance(fact, ChainFact)]
        one = said[dispute.fact % len(said)]
        decode = [f for f in said if (f.signature, f.slot, f.revision) == (one.signature, one.slot, one.revision)]
        match dispute.kind:
            case "revert" | "reinstate":
                self._revert(one.signature, one.slot, reinstate=dispute.kind == "reinstate")
            case "move":
                number = int(one.signature.split("-")[1])
                place = {"slot": max(one.slot + dispute.by, 0), "transaction_index": 10 + number}
                self._say(structs.replace(fact, **place, revision=0) for fact in decode)
            case "redecode":
                revision = max(f.revision for f in said if (f.signature, f.slot) == (one.signature, one.slot)) + 1
                self._say(_seen_better(fact, revision, dispute.by) for fact in decode[dispute.by % 2 :] or decode)
            case "cover":
                slot = one.slot + dispute.by
                self.facts.append(CoverageAdvanced(through_slot=slot, block_time=time_of(slot), blockhash=None))

    def _revert(self, signature: str, slot: int, *, reinstate: bool) -> None:
        """An even number of times that it was either: it stands."""
        times = self._times.get((signature, slot), 0)
        if reinstate != bool(times % 2):
            return
        self._times[signature, slot] = times + 1
        named: dict[str, Any] = {"signature": signature, "slot": slot, "times": times // 2 + 1}
        self.facts.append(TransactionReinstated(**named) if reinstate else TransactionReverted(**named, blockhash=None))

    def _say(self, facts: Iterable[ChainFact]) -> None:
        known = {key_of(fact) for fact in [*self.history, *self.facts]}
        self.facts += [fact for fact in facts if isinstance(fact, Fact) and key_of(fact) not in known]


def _seen_better(fact: ChainFact, revision: int, by: int) -> ChainFact:
    fact = structs.replace(fact, revision=revision)
    if not isinstance(fact, Deposited | Withdrawn):
        return fact
    amount = min(max(fact.amount + by, 0), U64_MAX)
    return structs.replace(fact, amount=amount, total_balance=amount, available_balance=amount, locked_balance=0)


def time_of(slot: int) -> int:
    """Three slots to a minute."""
    return 1_700_000_000 + 20 * (slot - 1_000)


def with_rising_coverage(facts: Sequence[Fact]) -> list[Fact]:
    """As an indexer appends it: in the places where there is any, the lowest first."""
    coverages = sorted({f for f in facts if isinstance(f, CoverageAdvanced)}, key=lambda f: f.through_slot)
    rising = iter(coverages)
    return [one for f in facts if (one := next(rising, None) if isinstance(f, CoverageAdvanced) else f) is not None]


def vault_names(number: int) -> dict[str, Any]:
    return {"vault": f"vault-{number:04d}", "owner": f"owner-{number:04d}"}


def random_history(*, steps: int, vaults: int, seed: int = 1) -> list[Fact]:
    """At least as many facts as steps less those that the program would refuse."""
    rng = random.Random(seed)
    return Ledger(vaults).take(
        Step(rng.choice(KINDS), rng.randrange(vaults), rng.randrange(vaults), rng.getrandbits(40), rng.random() < 0.3)
        for _ in range(steps)
    )
