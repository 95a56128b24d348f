"""Whoever fills the logs before the call hides nothing: events are inner instructions, which cannot be cut off."""

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from tests.program.chain import Sent
from tests.program.vault_svm import User, VaultSvm, between, of_user

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
NOISE = [Instruction(MEMO, b"", [])] * 45
"""The runtime writes some 250 bytes for each call, however little it does, and keeps the first 10,000 of all."""


def after_noise(svm: VaultSvm, call: Instruction, signer: Keypair) -> Sent:
    """Having checked that of the call itself the logs tell nothing."""
    sent = svm.send_all([*NOISE, call], [signer])
    logs = sent.result.logs()
    assert "Log truncated" in logs
    assert not any(str(svm.vaults.program) in line for line in logs)
    return sent


def vault_call(svm: VaultSvm, user: User, name: str, *arguments: int) -> Instruction:
    return svm.vaults.instruction(name, svm.everywhere() | of_user(user), *arguments)


def position_call(svm: VaultSvm, user: User, name: str, *arguments: int, **more: Pubkey) -> Instruction:
    accounts = {"position": svm.position_address(user, 7)} | of_user(user) | more
    return svm.positions.instruction(name, svm.everywhere() | accounts, *arguments)


@pytest.mark.parametrize(("name", "event"), [("deposit", "Deposited"), ("withdraw", "Withdrawn")])
def test_full_logs_hide_no_deposit_and_no_withdrawal(svm: VaultSvm, alice: User, name: str, event: str) -> None:
    sent = after_noise(svm, vault_call(svm, alice, name, 100), alice.keypair)

    [(told, fields)] = svm.events_of(sent)
    assert (told, fields["owner"], fields["amount"]) == (event, alice.key, 100)
    assert (fields["total_balance"], fields["locked_balance"], fields["available_balance"]) == svm.balances(alice)


def test_full_logs_hide_nothing_that_is_done_through_an_authorised_program(
    svm: VaultSvm, alice: User, bob: User
) -> None:
    admin, first = {"admin": svm.admin.pubkey()} | between(alice, bob), 1
    told = [
        name
        for call, signer in [
            (position_call(svm, alice, "open_position", 7, 400), alice.keypair),
            (position_call(svm, alice, "settle_position", first, 150, **admin), svm.admin),
            (position_call(svm, alice, "close_position", 7), alice.keypair),
        ]
        for name, _ in svm.events_of(after_noise(svm, call, signer))
    ]

    assert told == ["CollateralLocked", "CollateralUnlocked", "CollateralTransferred", "CollateralUnlocked"]
