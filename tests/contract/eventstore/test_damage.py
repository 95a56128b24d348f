"""What is stored and is not what was written is named with its place, and nothing is read past it."""

import pytest

from eventstore.errors import FactUnreadable, VaultIndexDamaged
from eventstore.port import IngestStore
from eventstore.store import EventStore
from eventstore.tables import VAULT_INDEX
from tests.contract.eventstore.conftest import Deposit


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE stored_events SET state = substr(state, 1, 9)", "corrupt"),
        ("UPDATE stored_events SET topic = 'FromTheFuture.1'", "FromTheFuture.1.*use the version that wrote it"),
    ],
)
def test_a_fact_that_cannot_be_read_is_named_by_its_position(
    store: IngestStore, deposit: Deposit, change: str, reason: str
) -> None:
    assert isinstance(store, EventStore)
    store.append([deposit(1)])
    with store.backend.writing() as t:
        t.execute(change)
    with pytest.raises(FactUnreadable, match=f"position 1 .*{reason}"):
        store.read_after(0, 9)
    with pytest.raises(FactUnreadable):
        store.read_vault("vault", through_position=9)


@pytest.mark.parametrize(
    "row",
    [
        ("another", 1, 0, 0, 1),  # of another vault
        ("vault", 2, 0, 0, 1),  # in another place of the chain
        ("vault", 1, 0, 0, 2),  # nothing there
        ("vault", 2, 0, 0, 7),
    ],
)
def test_an_index_that_names_what_is_no_fact_of_the_vault_is_damaged(
    store: IngestStore, deposit: Deposit, row: tuple[str | int, ...]
) -> None:
    assert isinstance(store, EventStore)
    store.append([deposit(1)])
    assert len(store.read_vault("vault", through_position=9)) == 1
    with store.backend.writing() as t:
        t.insert(VAULT_INDEX, [row])
    with pytest.raises(VaultIndexDamaged, match=f"position {row[-1]} "):
        store.read_vault(str(row[0]), through_position=9)
