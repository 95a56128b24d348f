"""The signature of an authorised program proves its consent and nothing else: whoever is passed it can use it."""

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from tests.program.chain import refused
from tests.program.refusals import BY_CALLER
from tests.program.relaying import Relay
from tests.program.vault_svm import User, VaultSvm, between, of_user


@pytest.fixture
def listed(svm: VaultSvm) -> Relay:
    relay = Relay(svm)
    svm.add_program(relay.program)
    return relay


@pytest.fixture
def third(svm: VaultSvm) -> Relay:
    """Nobody authorised it."""
    return Relay(svm)


def call(svm: VaultSvm, name: str, alice: User, bob: User, caller: Pubkey, amount: int = 100) -> Instruction:
    """On Alice's vault; a transfer goes to Bob's."""
    accounts = svm.everywhere() | of_user(alice) | between(alice, bob) | {"caller": caller}
    return svm.vaults.instruction(name, accounts, amount)


by_callers = pytest.mark.parametrize("name", BY_CALLER.split())


def test_an_authorised_program_locks_by_its_own_signature(svm: VaultSvm, alice: User, bob: User, listed: Relay) -> None:
    svm.send(listed.signing(call(svm, "lock_collateral", alice, bob, listed.caller)), [])
    assert svm.balances(alice) == (1_000, 100, 900)


@by_callers
def test_a_program_that_nobody_authorised_does_nothing_by_its_own_signature(
    svm: VaultSvm, alice: User, bob: User, listed: Relay, third: Relay, name: str
) -> None:
    with refused("UnauthorizedCaller"):
        svm.send(third.signing(call(svm, name, alice, bob, third.caller)), [])
    with refused("AccountNotSigner"):
        svm.send(third.passing_on(call(svm, name, alice, bob, listed.caller)), [])


@by_callers
def test_a_third_program_does_not_get_by_an_authorised_one_that_does_not_sign(
    svm: VaultSvm, alice: User, bob: User, listed: Relay, third: Relay, name: str
) -> None:
    with refused("AccountNotSigner"):
        svm.send(listed.passing_on(third.passing_on(call(svm, name, alice, bob, listed.caller))), [])


def test_a_third_program_that_is_passed_the_signature_can_take_everything(
    svm: VaultSvm, alice: User, bob: User, listed: Relay, third: Relay
) -> None:
    """A decision: docs/program.md says what refusing it would cost. The authorised program's name is on the event."""
    stolen = call(svm, "transfer_collateral", alice, bob, listed.caller, 1_000)
    sent = svm.send(listed.signing(third.passing_on(stolen)), [])

    [(name, event)] = svm.events_of(sent)
    assert (name, event["program"]) == ("CollateralTransferred", listed.program)
    assert svm.balances(alice) == (0, 0, 0)
    assert svm.balances(bob) == (2_000, 0, 2_000)


@by_callers
def test_what_is_passed_on_is_worth_nothing_once_the_program_is_removed(
    svm: VaultSvm, alice: User, bob: User, listed: Relay, third: Relay, name: str
) -> None:
    svm.remove_program(listed.program)
    with refused("UnauthorizedCaller"):
        svm.send(listed.signing(third.passing_on(call(svm, name, alice, bob, listed.caller))), [])
