"""What every test relies on: the harness notices what no event tells."""

import pytest
from solders.account import Account

from tests.program.breaks import closed
from tests.program.scene import Scene


@pytest.fixture
def scene() -> Scene:
    return Scene("deposit")


def test_a_vault_that_is_gone_is_noticed(scene: Scene) -> None:
    sent = scene.call()
    closed("vault")(scene)
    with pytest.raises(AssertionError, match="is gone"):
        scene.svm.assert_events_tell_all(sent)


def test_a_balance_that_no_event_tells_of_is_noticed(scene: Scene) -> None:
    sent = scene.call()
    scene.svm.set_vault_number(scene.alice, "locked_balance", 1)
    with pytest.raises(AssertionError, match="something else than the events tell"):
        scene.svm.assert_events_tell_all(sent)


def test_a_vault_that_no_event_tells_of_is_noticed(scene: Scene) -> None:
    sent = scene.call()
    vault = scene.read("vault")
    scene.svm.svm.set_account(sent.keys[0], Account(vault.lamports, vault.data, vault.owner))
    with pytest.raises(AssertionError, match="no event tells"):
        scene.svm.assert_events_tell_all(sent)
