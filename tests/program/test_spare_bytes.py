"""Every account of ours has room for fields that are not there yet."""

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from tests.program.anchor_idl import AnchorIdl
from tests.program.scene import Scene

SPARE = 64


@pytest.fixture
def scene() -> Scene:
    return Scene("settle_position")


@pytest.fixture
def accounts(scene: Scene) -> list[Pubkey]:
    """One of each kind."""
    return [scene.accounts[name] for name in ("vault_authority", "from_vault", "config", "position")]


def idl_of(scene: Scene, account: Account) -> AnchorIdl:
    [idl] = [idl for idl in (scene.svm.vaults, scene.svm.positions) if idl.program == account.owner]
    return idl


def test_they_are_zeroes(scene: Scene, accounts: list[Pubkey]) -> None:
    for address in accounts:
        account = scene.svm.account(address)
        idl = idl_of(scene, account)
        assert idl.account(idl.account_name(account.data), account.data)["reserved"] == [0] * SPARE


def test_what_a_later_version_kept_in_them_survives_this_one(scene: Scene, accounts: list[Pubkey]) -> None:
    later = bytes(range(SPARE))
    for address in accounts:
        account = scene.svm.account(address)
        at = idl_of(scene, account).place(account.data, "reserved")
        data = account.data[:at] + later + account.data[at + SPARE :]
        scene.svm.svm.set_account(address, Account(account.lamports, data, account.owner))
    scene.call()
    scene.svm.propose_admin(scene.mallory.key)
    for address in accounts:
        account = scene.svm.account(address)
        at = idl_of(scene, account).place(account.data, "reserved")
        assert account.data[at : at + SPARE] == later
