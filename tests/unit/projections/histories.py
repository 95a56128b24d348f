"""Valid histories of vaults, as the program would emit them: a ledger that only lets happen what the program lets."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from eventstore.facts import (
    CollateralLocked,
    CollateralTransferred,
    CollateralUnlocked,
    Deposited,
    Fact,
    TransactionFailed,
    VaultInitialized,
    Withdrawn,
)

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
            "block_time": 1_700_000_000 + slot,
            **place,
        }

    def _program(self) -> dict[str, Any]:
        return {**self._inclusion(), "timestamp": 1_700_000_000 + self._transaction // 3}


def vault_names(number: int) -> dict[str, Any]:
    return {"vault": f"vault-{number:04d}", "owner": f"owner-{number:04d}"}


def random_history(*, steps: int, vaults: int, seed: int = 1) -> list[Fact]:
    """At least as many facts as steps less those that the program would refuse."""
    rng = random.Random(seed)
    return Ledger(vaults).take(
        Step(rng.choice(KINDS), rng.randrange(vaults), rng.randrange(vaults), rng.getrandbits(40), rng.random() < 0.3)
        for _ in range(steps)
    )
