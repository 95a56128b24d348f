"""The position-manager: margin is locked while a position is open, and paid from when it is settled."""

from tests.program.chain import NOW, refused
from tests.program.vault_svm import User, VaultSvm


def test_opening_locks_the_margin(svm: VaultSvm, alice: User) -> None:
    [(name, event)] = svm.open_position(alice, 7, 400).events

    position = svm.position(alice, 7)
    assert (position["owner"], position["id"], position["margin"]) == (alice.key, 7, 400)
    assert (position["serial"], position["opened_at"]) == (1, NOW)
    assert svm.balances(alice) == (1_000, 400, 600)
    assert (name, event["program"], event["amount"]) == ("CollateralLocked", svm.positions.program, 400)


def test_closing_unlocks_the_margin_and_gives_back_the_rent(svm: VaultSvm, alice: User) -> None:
    lamports = svm.account(alice.key).lamports
    svm.open_position(alice, 7, 400)
    svm.open_position(alice, 8, 100)
    svm.close_position(alice, 8)
    [(name, event)] = svm.close_position(alice, 7).events

    assert svm.svm.get_account(svm.position_address(alice, 7)) is None
    assert svm.account(alice.key).lamports == lamports
    assert svm.balances(alice) == (1_000, 0, 1_000)
    assert (name, event["program"], event["amount"]) == ("CollateralUnlocked", svm.positions.program, 400)


def test_settling_pays_from_the_margin_to_another_vault(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    events = svm.settle_position(alice, 7, 150, to=bob).events

    assert [(name, event["amount"]) for name, event in events] == [
        ("CollateralUnlocked", 150),
        ("CollateralTransferred", 150),
    ]
    assert svm.position(alice, 7)["margin"] == 250
    assert svm.balances(alice) == (850, 250, 600)
    assert svm.balances(bob) == (1_150, 0, 1_150)
    assert (svm.tokens(alice.vault_tokens), svm.tokens(bob.vault_tokens)) == (850, 1_150)


def test_a_position_whose_margin_is_paid_out_can_still_be_closed(svm: VaultSvm, alice: User, bob: User) -> None:
    svm.open_position(alice, 7, 400)
    svm.settle_position(alice, 7, 400, to=bob)
    assert svm.close_position(alice, 7).events == []
    assert svm.balances(alice) == (600, 0, 600)


def test_a_settlement_does_not_hit_a_later_position_under_the_same_number(
    svm: VaultSvm, alice: User, bob: User
) -> None:
    svm.open_position(alice, 7, 400)
    svm.open_position(bob, 7, 400)
    meant = svm.serial(alice, 7)
    svm.close_position(alice, 7)
    svm.open_position(alice, 7, 400)

    assert svm.config()["positions_opened"] == svm.serial(alice, 7) == 3
    with refused("AnotherPosition"):
        svm.settle_position(alice, 7, 100, to=bob, serial=meant)
    svm.settle_position(alice, 7, 100, to=bob, serial=3)
