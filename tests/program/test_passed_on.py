"""The signature of an authorised program proves its consent and nothing else: whoever is passed it can use it."""

from pathlib import Path

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from tests.program.chain import refused
from tests.program.vault_svm import User, VaultSvm, between, of_user

RELAY = Path(__file__).with_name("relay") / "relay.so"


class Relay:
    """A program that calls what it is told to call, with its own signature or without."""

    def __init__(self, svm: VaultSvm) -> None:
        self.program = svm.new_address()
        self.caller, self._bump = Pubkey.find_program_address([b"vault_caller"], self.program)
        svm.svm.add_program_from_file(self.program, RELAY)

    def signing(self, call: Instruction) -> Instruction:
        return self._relayed(self._bump, call)

    def passing_on(self, call: Instruction) -> Instruction:
        """Whoever has signed for it signs the call."""
        return self._relayed(0, call)

    def _relayed(self, bump: int, call: Instruction) -> Instruction:
        """An address that no key signs for is not said to sign, since the program will say so."""
        metas = [
            AccountMeta(call.program_id, False, False),
            *(
                AccountMeta(meta.pubkey, meta.is_signer and meta.pubkey.is_on_curve(), meta.is_writable)
                for meta in call.accounts
            ),
        ]
        return Instruction(self.program, bytes([bump]) + call.data, metas)


@pytest.fixture
def listed(svm: VaultSvm) -> Relay:
    relay = Relay(svm)
    svm.add_program(relay.program)
    return relay


@pytest.fixture
def third(svm: VaultSvm) -> Relay:
    """Nobody authorised it."""
    return Relay(svm)


def lock(svm: VaultSvm, user: User, caller: Pubkey) -> Instruction:
    return svm.vaults.instruction("lock_collateral", svm.everywhere() | of_user(user) | {"caller": caller}, 100)


def transfer(svm: VaultSvm, sender: User, to: User, caller: Pubkey) -> Instruction:
    accounts = svm.everywhere() | between(sender, to) | {"caller": caller}
    return svm.vaults.instruction("transfer_collateral", accounts, 1_000)


def test_an_authorised_program_locks_by_its_own_signature(svm: VaultSvm, alice: User, listed: Relay) -> None:
    svm.send(listed.signing(lock(svm, alice, listed.caller)), [])
    assert svm.balances(alice) == (1_000, 100, 900)


def test_a_program_that_nobody_authorised_does_not_lock_by_its_own_signature(
    svm: VaultSvm, alice: User, listed: Relay, third: Relay
) -> None:
    with refused("UnauthorizedCaller"):
        svm.send(third.signing(lock(svm, alice, third.caller)), [])
    with refused("AccountNotSigner"):
        svm.send(third.passing_on(lock(svm, alice, listed.caller)), [])


def test_a_third_program_does_not_get_by_an_authorised_one_that_does_not_sign(
    svm: VaultSvm, alice: User, listed: Relay, third: Relay
) -> None:
    with refused("AccountNotSigner"):
        svm.send(listed.passing_on(third.passing_on(lock(svm, alice, listed.caller))), [])


def test_a_third_program_that_is_passed_the_signature_can_take_everything(
    svm: VaultSvm, alice: User, bob: User, listed: Relay, third: Relay
) -> None:
    """No check of the vault-manager could tell it from the authorised program, whose name is on the event."""
    stolen = transfer(svm, alice, bob, listed.caller)
    sent = svm.send(listed.signing(third.passing_on(stolen)), [])

    [(name, event)] = svm.events_of(sent)
    assert (name, event["program"]) == ("CollateralTransferred", listed.program)
    assert svm.balances(alice) == (0, 0, 0)
    assert svm.balances(bob) == (2_000, 0, 2_000)


def test_what_is_passed_on_is_worth_nothing_once_the_program_is_removed(
    svm: VaultSvm, alice: User, bob: User, listed: Relay, third: Relay
) -> None:
    svm.remove_program(listed.program)
    with refused("UnauthorizedCaller"):
        svm.send(listed.signing(third.passing_on(transfer(svm, alice, bob, listed.caller))), [])
