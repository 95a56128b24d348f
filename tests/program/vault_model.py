"""What both programs must do, told in Python and without a chain: balances, positions, who governs, who is refused."""

from dataclasses import dataclass, field

U64_MAX = 2**64 - 1
PROGRAMS_MAX = 10
POSITION_MANAGER = 0
"""The programs are numbered, and this is its number."""
EXISTS = "AccountAlreadyInUse"
"""The system program's word, where an instruction would create an account."""

Reasons = set[str]
"""Names of all errors that speak against an instruction; which of them the program says depends on its order."""


@dataclass
class Vault:
    """Amounts in base units."""

    locked: int = 0
    available: int = 0
    deposited: int = 0
    withdrawn: int = 0

    @property
    def total(self) -> int:
        return self.locked + self.available


NO_VAULT = Vault()
"""Of a user who has none, so that there is something to ask. Nothing is changed in it, since nothing is done there."""


@dataclass
class Model:
    """Users, administrators and programs by number. An instruction happens if no reason speaks against it."""

    wallets: list[int]
    """Base units in each user's own token account."""
    vaults: dict[int, Vault] = field(default_factory=dict)
    vault_tokens: dict[int, int] = field(default_factory=dict)
    """Base units in the token account of each user's vault, which can be there before the vault."""
    margins: dict[tuple[int, int], int] = field(default_factory=dict)
    """Of each open position, by user and its number."""
    serials: dict[tuple[int, int], int] = field(default_factory=dict)
    """Likewise."""
    opened: int = 0
    """How many positions ever were."""
    admin: int = 0
    pending_admin: int | None = None
    settlement_admin: int = 0
    pending_settlement_admin: int | None = None
    programs: list[int] = field(default_factory=list)

    def vault(self, user: int) -> Vault:
        return self.vaults.get(user, NO_VAULT)

    def initialize_vault(self, user: int) -> Reasons:
        if user in self.vaults:
            return {EXISTS}
        self.vaults[user] = Vault()
        self.vault_tokens.setdefault(user, 0)
        return set()

    def deposit(self, user: int, amount: int) -> Reasons:
        vault = self.vault(user)
        reasons = self._amount(amount, user) | _those(
            InsufficientTokens=amount > self.wallets[user],
        )
        if not reasons:
            self.donate(user, user, amount)
            vault.available += amount
            vault.deposited = min(vault.deposited + amount, U64_MAX)
        return reasons

    def withdraw(self, user: int, amount: int) -> Reasons:
        vault = self.vault(user)
        reasons = self._amount(amount, user) | _those(
            InsufficientAvailable=amount > vault.available,
        )
        if not reasons:
            vault.available -= amount
            vault.withdrawn = min(vault.withdrawn + amount, U64_MAX)
            self.vault_tokens[user] -= amount
            self.wallets[user] += amount
        return reasons

    def lock(self, program: int, user: int, amount: int) -> Reasons:
        vault = self.vault(user)
        reasons = self._amount(amount, user) | self._caller(program)
        reasons |= _those(InsufficientAvailable=amount > vault.available)
        if not reasons:
            vault.available -= amount
            vault.locked += amount
        return reasons

    def unlock(self, program: int, user: int, amount: int) -> Reasons:
        vault = self.vault(user)
        reasons = self._amount(amount, user) | self._caller(program)
        reasons |= _those(InsufficientLocked=amount > vault.locked)
        if not reasons:
            vault.locked -= amount
            vault.available += amount
        return reasons

    def transfer(self, program: int, user: int, to: int, amount: int) -> Reasons:
        reasons = self._amount(amount, user, to) | self._caller(program)
        reasons |= _those(InsufficientAvailable=amount > self.vault(user).available, SelfTransfer=user == to)
        if not reasons:
            self._move(user, to, amount)
        return reasons

    def add_program(self, signer: int, program: int) -> Reasons:
        reasons = self._admin(signer) | _those(
            ProgramAlreadyAuthorized=program in self.programs,
            TooManyPrograms=len(self.programs) >= PROGRAMS_MAX,
        )
        if not reasons:
            self.programs.append(program)
        return reasons

    def remove_program(self, signer: int, program: int) -> Reasons:
        reasons = self._admin(signer) | _those(ProgramNotAuthorized=program not in self.programs)
        if not reasons:
            self.programs.remove(program)
        return reasons

    def propose_admin(self, signer: int, new: int) -> Reasons:
        reasons = self._admin(signer)
        if not reasons:
            self.pending_admin = None if new == self.admin else new
        return reasons

    def accept_admin(self, signer: int) -> Reasons:
        reasons = _those(NotPendingAdmin=signer != self.pending_admin)
        if not reasons:
            self.admin, self.pending_admin = signer, None
        return reasons

    def open_position(self, user: int, number: int, margin: int) -> Reasons:
        if (user, number) in self.margins:
            return {EXISTS}
        reasons = self.lock(POSITION_MANAGER, user, margin)
        if not reasons:
            self.opened += 1
            self.margins[user, number] = margin
            self.serials[user, number] = self.opened
        return reasons

    def close_position(self, user: int, number: int) -> Reasons:
        margin = self.margins.get((user, number))
        if margin is None:
            return {"AccountNotInitialized"}
        reasons = self.unlock(POSITION_MANAGER, user, margin) if margin else set()
        if not reasons:
            del self.margins[user, number]
            del self.serials[user, number]
        return reasons

    def settle_position(self, signer: int, user: int, number: int, amount: int, to: int, serial: int) -> Reasons:
        margin = self.margins.get((user, number))
        if margin is None:
            return {"AccountNotInitialized"}
        reasons = (
            self._amount(amount, user, to)
            | self._caller(POSITION_MANAGER)
            | _those(
                NotAdmin=signer != self.settlement_admin,
                AnotherPosition=serial != self.serials[user, number],
                AmountExceedsMargin=amount > margin,
                InsufficientLocked=amount > self.vault(user).locked,
                SelfTransfer=user == to,
            )
        )
        if not reasons:
            self.unlock(POSITION_MANAGER, user, amount)
            self._move(user, to, amount)
            self.margins[user, number] -= amount
        return reasons

    def propose_settlement_admin(self, signer: int, new: int) -> Reasons:
        reasons = _those(NotAdmin=signer != self.settlement_admin)
        if not reasons:
            self.pending_settlement_admin = None if new == signer else new
        return reasons

    def accept_settlement_admin(self, signer: int) -> Reasons:
        reasons = _those(NotPendingAdmin=signer != self.pending_settlement_admin)
        if not reasons:
            self.settlement_admin, self.pending_settlement_admin = signer, None
        return reasons

    def donate(self, user: int, to: int, amount: int) -> None:
        """A plain token transfer into the token account of a vault."""
        self.wallets[user] -= amount
        self.vault_tokens[to] += amount

    def _move(self, user: int, to: int, amount: int) -> None:
        self.vaults[user].available -= amount
        self.vaults[to].available += amount
        self.vault_tokens[user] -= amount
        self.vault_tokens[to] += amount

    def _amount(self, amount: int, *users: int) -> Reasons:
        missing = any(user not in self.vaults for user in users)
        return _those(ZeroAmount=amount == 0, AccountNotInitialized=missing)

    def _caller(self, program: int) -> Reasons:
        return _those(UnauthorizedCaller=program not in self.programs)

    def _admin(self, signer: int) -> Reasons:
        return _those(NotAdmin=signer != self.admin)


def _those(**conditions: bool) -> Reasons:
    return {name for name, holds in conditions.items() if holds}
