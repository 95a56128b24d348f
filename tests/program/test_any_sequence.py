"""Whatever users, programs, admins and thieves do, in any order: the sums are right and the events tell all of it."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from tests.program.anchor_idl import Fields
from tests.program.attacks import ATTACKS, Attack
from tests.program.chain import ASSOCIATED_TOKEN, NOW, SYSTEM, TOKEN, Refused, pda
from tests.program.replay import Replay
from tests.program.vault_model import U64_MAX, Model, Reasons
from tests.program.vault_svm import Outcome, VaultSvm

WALLETS = [2**63, 2**63 - 2_000, 1_000, 999]
"""Base units that each user begins with: together all that a token account could hold."""
ADMINS = 3
PROGRAMS = 12
"""Two more than can be authorised."""
POSITIONS = 3
TOKEN_TRANSFER = 3  # spl-token's instruction `Transfer`
CREATE_ASSOCIATED = 0  # spl-associated-token-account's instruction `Create`

users = st.integers(0, len(WALLETS) - 1)
admins = st.integers(0, ADMINS - 1)
programs = st.integers(0, PROGRAMS - 1)
callers = st.integers(0, 3 * PROGRAMS - 1)
numbers = st.integers(0, POSITIONS - 1)
settlers = st.none() | admins
"""None is the settlement admin, whoever that is."""


class Amount(NamedTuple):
    """Base units: some number, or about as much as there is."""

    all_there_is: bool
    more: int

    def of(self, there_is: int) -> int:
        return min(max(there_is * self.all_there_is + self.more, 0), U64_MAX)


few = st.builds(Amount, st.just(False), st.integers(1, 300))
about_all = st.builds(Amount, st.just(True), st.integers(-1, 1))
edges = st.builds(Amount, st.just(False), st.sampled_from([0, 1, 2**63 - 1, 2**63, U64_MAX - 1, U64_MAX]))
amounts = few | about_all | edges | few  # few twice: what always fails teaches little


class AnySequence(RuleBasedStateMachine):
    """The chain does not check signatures, so that any address can be made to sign; the programs see who signs."""

    @initialize(authorized=st.integers(1, 10), vaults=st.integers(3, len(WALLETS)))
    def set_up(self, authorized: int, vaults: int) -> None:
        self.svm = VaultSvm(trusting=True)
        self.model = Model(wallets=list(WALLETS))
        self.replay = Replay()
        self.users = [self.svm.new_user(tokens) for tokens in WALLETS]
        self.admins = [self.svm.admin, *(self.svm.new_keypair() for _ in range(ADMINS - 1))]
        self.programs = [self.svm.positions.program, *(Pubkey.new_unique() for _ in range(PROGRAMS - 1))]
        self.now = NOW
        self.svm.initialize_config()
        self.expect(set(), self.svm.initialize_authority)
        for program in range(authorized):
            self.add_program(0, program)
        for user in range(vaults):
            self.initialize_vault(user)
            self.deposit(user, Amount(False, 900))

    @rule(seconds=st.integers(1, 10_000))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.svm.set_time(self.now)

    @rule(user=users)
    def initialize_vault(self, user: int) -> None:
        self.expect(self.model.initialize_vault(user), lambda: self.svm.initialize_vault(self.users[user]))

    @rule(user=users, amount=amounts)
    def deposit(self, user: int, amount: Amount) -> None:
        n = amount.of(self.model.wallets[user])
        self.expect(self.model.deposit(user, n), lambda: self.svm.deposit(self.users[user], n))

    @rule(user=users)
    def deposit_all_and_withdraw_most(self, user: int) -> None:
        """Until all that was ever deposited, or withdrawn, is more than is counted."""
        self.deposit(user, Amount(True, 0))
        self.withdraw(user, Amount(True, -900))

    @rule(user=users, amount=amounts)
    def withdraw(self, user: int, amount: Amount) -> None:
        n = amount.of(self.model.vault(user).available)
        self.expect(self.model.withdraw(user, n), lambda: self.svm.withdraw(self.users[user], n))

    @rule(caller=callers, user=users, amount=amounts)
    def lock(self, caller: int, user: int, amount: Amount) -> None:
        program = self.speaking(caller)
        n = amount.of(self.model.vault(user).available)
        reasons = self.model.lock(program, user, n)
        self.expect(reasons, lambda: self.svm.lock(self.users[user], n, self.caller(program)))

    @rule(caller=callers, user=users, amount=amounts)
    def unlock(self, caller: int, user: int, amount: Amount) -> None:
        program = self.speaking(caller)
        if not self.model.vault(user).locked:
            self.lock(caller, user, Amount(False, 300))
        n = amount.of(self.model.vault(user).locked)
        reasons = self.model.unlock(program, user, n)
        self.expect(reasons, lambda: self.svm.unlock(self.users[user], n, self.caller(program)))

    @rule(caller=callers, user=users, to=users, amount=amounts)
    def transfer(self, caller: int, user: int, to: int, amount: Amount) -> None:
        program = self.speaking(caller)
        n = amount.of(self.model.vault(user).available)
        reasons = self.model.transfer(program, user, to, n)
        self.expect(reasons, lambda: self.svm.transfer(self.users[user], self.users[to], n, self.caller(program)))

    @rule(user=users, number=numbers, amount=amounts)
    def open_position(self, user: int, number: int, amount: Amount) -> None:
        n = amount.of(self.model.vault(user).available)
        reasons = self.model.open_position(user, number, n)
        self.expect(reasons, lambda: self.svm.open_position(self.users[user], number, n))

    @rule(which=numbers)
    def close_position(self, which: int) -> None:
        user, number = self.position(which)
        reasons = self.model.close_position(user, number)
        self.expect(reasons, lambda: self.svm.close_position(self.users[user], number))

    @rule(signer=settlers, which=numbers, to=users, amount=amounts, earlier=st.just(0) | st.integers(0, 2))
    def settle_position(self, signer: int | None, which: int, to: int, amount: Amount, earlier: int) -> None:
        """What is meant may be a position opened `earlier` by so many."""
        user, number = self.position(which)
        by = self.model.settlement_admin if signer is None else signer
        serial = max(self.model.serials.get((user, number), 0) - earlier, 0)
        n = amount.of(self.model.margins.get((user, number), 0))
        reasons = self.model.settle_position(by, user, number, n, to, serial)
        payer, payee, admin = self.users[user], self.users[to], self.admins[by]
        self.expect(reasons, lambda: self.svm.settle_position(payer, number, n, payee, admin, serial))

    @rule(signer=settlers, new=admins)
    def propose_settlement_admin(self, signer: int | None, new: int) -> None:
        by = self.model.settlement_admin if signer is None else signer
        reasons = self.model.propose_settlement_admin(by, new)
        self.expect(reasons, lambda: self.svm.propose_settlement_admin(self.admins[new].pubkey(), self.admins[by]))

    @rule(signer=admins)
    def accept_settlement_admin(self, signer: int) -> None:
        reasons = self.model.accept_settlement_admin(signer)
        self.expect(reasons, lambda: self.svm.accept_settlement_admin(self.admins[signer]))

    @rule(signer=admins, program=programs)
    def add_program(self, signer: int, program: int) -> None:
        reasons = self.model.add_program(signer, program)
        self.expect(reasons, lambda: self.svm.add_program(self.programs[program], self.admins[signer]))

    @rule(signer=admins, program=programs)
    def remove_program(self, signer: int, program: int) -> None:
        reasons = self.model.remove_program(signer, program)
        self.expect(reasons, lambda: self.svm.remove_program(self.programs[program], self.admins[signer]))

    @rule(signer=admins, new=admins)
    def propose_admin(self, signer: int, new: int) -> None:
        reasons = self.model.propose_admin(signer, new)
        self.expect(reasons, lambda: self.svm.propose_admin(self.admins[new].pubkey(), self.admins[signer]))

    @rule(signer=admins)
    def accept_admin(self, signer: int) -> None:
        self.expect(self.model.accept_admin(signer), lambda: self.svm.accept_admin(self.admins[signer]))

    @rule(user=users, to=users, amount=amounts)
    def donate(self, user: int, to: int, amount: Amount) -> None:
        """Tokens for the token account of a vault, for which the vault has no use."""
        if to not in self.model.vault_tokens:
            return
        n = min(amount.of(self.model.wallets[user]), self.model.wallets[user])
        self.model.donate(user, to, n)
        giver = self.users[user]
        metas = [(giver.tokens, False, True), (self.users[to].vault_tokens, False, True), (giver.key, True, False)]
        data = bytes([TOKEN_TRANSFER]) + n.to_bytes(8, "little")
        self.svm.send(Instruction(TOKEN, data, [AccountMeta(*meta) for meta in metas]), [giver.keypair])

    @rule(user=users, for_whom=users)
    def create_the_token_account_of_a_vault_to_be(self, user: int, for_whom: int) -> None:
        if for_whom in self.model.vault_tokens:
            return
        self.model.vault_tokens[for_whom] = 0
        payer, other = self.users[user], self.users[for_whom]
        metas = [(payer.key, True, True), (other.vault_tokens, False, True)]
        metas += [(key, False, False) for key in (other.vault, self.svm.mint, SYSTEM, TOKEN)]
        data = bytes([CREATE_ASSOCIATED])
        self.svm.send(Instruction(ASSOCIATED_TOKEN, data, [AccountMeta(*meta) for meta in metas]), [payer.keypair])

    @rule(attack=st.sampled_from(ATTACKS), pair=st.permutations(range(len(WALLETS))), amount=amounts)
    def attack(self, attack: Attack, pair: list[int], amount: Amount) -> None:
        thief, victim, *_ = [user for user in pair if user in self.model.vaults]
        n = max(1, amount.of(self.model.vault(victim).available))
        by, of = self.users[thief], self.users[victim]
        self.expect({attack.refusal}, lambda: attack.attempt(self.svm, by, of, n))

    def expect(self, reasons: Reasons, act: Callable[[], Outcome]) -> None:
        """It happens if nothing speaks against it; what it says to have happened is taken down."""
        if not reasons:
            for name, event in act().events:
                self.replay.take(name, event)
            return
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.name in reasons, caught.value

    def position(self, which: int) -> tuple[int, int]:
        """One that is open, opened now if none was and nothing speaks against it: user and number."""
        if not self.model.margins:
            self.open_position(0, which, Amount(False, 300))
        there = sorted(self.model.margins) or [(0, 0)]
        return there[which % len(there)]

    def speaking(self, caller: int) -> int:
        """A program: one of all, or twice as often one that is authorised, if any is."""
        there = self.model.programs if caller >= PROGRAMS else []
        return there[caller % len(there)] if there else caller % PROGRAMS

    def caller(self, program: int) -> Pubkey:
        return pda(self.programs[program], b"vault_caller")

    @invariant()
    def the_vaults_are_as_the_model_says(self) -> None:
        for number, user in enumerate(self.users):
            assert (self.svm.svm.get_account(user.vault) is not None) == (number in self.model.vaults)
        for number, vault in self.model.vaults.items():
            fields = self.svm.vault(self.users[number])
            assert fields["total_balance"] == fields["locked_balance"] + fields["available_balance"] == vault.total
            assert (fields["locked_balance"], fields["available_balance"]) == (vault.locked, vault.available)
            assert (fields["total_deposited"], fields["total_withdrawn"]) == (vault.deposited, vault.withdrawn)

    @invariant()
    def no_token_is_lost_or_made_and_every_vault_is_covered(self) -> None:
        wallets = [self.svm.tokens(user.tokens) for user in self.users]
        in_vaults = {number: self.svm.tokens(self.users[number].vault_tokens) for number in self.model.vault_tokens}
        assert (wallets, in_vaults) == (self.model.wallets, self.model.vault_tokens)
        assert sum(wallets) + sum(in_vaults.values()) == sum(WALLETS)
        assert all(in_vaults[number] >= vault.total for number, vault in self.model.vaults.items())

    @invariant()
    def the_positions_are_as_the_model_says(self) -> None:
        for user, number in itertools.product(range(len(WALLETS)), range(POSITIONS)):
            there = self.svm.svm.get_account(self.svm.position_address(self.users[user], number)) is not None
            assert there == ((user, number) in self.model.margins)
        for (user, number), margin in self.model.margins.items():
            position = self.svm.position(self.users[user], number)
            assert (position["margin"], position["serial"]) == (margin, self.model.serials[user, number])

    @invariant()
    def the_events_alone_give_the_accounts(self) -> None:
        assert _told(self.svm.governance()) == self.replay.authority
        there = {user.vault: _told(self.svm.vault(user)) for user in self.users if self.svm.svm.get_account(user.vault)}
        assert there == self.replay.vaults

    @invariant()
    def the_model_and_the_config_agree(self) -> None:
        config, pending = self.svm.config(), self.model.pending_settlement_admin
        assert config["admin"] == self.admins[self.model.settlement_admin].pubkey()
        assert config["pending_admin"] == (None if pending is None else self.admins[pending].pubkey())
        assert config["positions_opened"] == self.model.opened

    @invariant()
    def the_model_and_the_authority_agree(self) -> None:
        governance, pending = self.svm.governance(), self.model.pending_admin
        assert governance["admin"] == self.admins[self.model.admin].pubkey()
        assert governance["pending_admin"] == (None if pending is None else self.admins[pending].pubkey())
        listed = [entry["program"] for entry in governance["authorized_programs"]]
        assert listed == [self.programs[number] for number in self.model.programs]


def _told(account: Fields) -> Fields:
    """Without what events do not tell: the bump, and the zeroes that are reserved."""
    assert not any(account["reserved"])
    return {name: value for name, value in account.items() if name not in {"bump", "reserved"}}


AnySequence.TestCase.settings = settings(max_examples=120, stateful_step_count=50, deadline=None, print_blob=True)
TestAnySequence = AnySequence.TestCase
