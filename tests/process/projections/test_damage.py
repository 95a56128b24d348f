"""What is damaged ends the command in one clear line; tests/integration/projections has all the kinds of damage."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventstore.port import IngestStore
from tests.process.projections.conftest import Projector, refused
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=300, vaults=9)


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


@pytest.mark.parametrize("command", ["run", "rebuild"])
def test_a_fact_that_cannot_be_read_is_named(projector: Projector, events: IngestStore, command: str) -> None:
    append(events, FACTS)
    change(projector.folder / "events.db", "UPDATE stored_events SET state = x'c1' WHERE rowid = 17")
    said = refused(projector.run(command))
    assert f"the fact at position 17 of {projector.folder}/events.db cannot be read: it is corrupt" in said


def test_a_document_that_cannot_be_read_is_named(projector: Projector, events: IngestStore) -> None:
    append(events, FACTS)
    projector.json("rebuild")
    change(projector.models / "vaults.g1.db", "UPDATE documents SET body = '{' WHERE id = 'vault-0004'")
    said = refused(projector.run("digest"))
    assert f"{projector.models}/vaults.g1.db is damaged (document 'vault-0004'" in said
    assert "run vault-projector rebuild --projection vaults" in said


def test_what_is_not_printable_in_a_message_is_not_printed(projector: Projector, events: IngestStore) -> None:
    append(events, FACTS)
    change(projector.folder / "events.db", "UPDATE stored_events SET topic = x'0a1b5b306d' WHERE rowid = 17")
    assert "its topic b'\\n\\x1b[0m' is unknown here" in refused(projector.run("rebuild"))
    said = refused(projector.run("rebuild", "--projection", "two\nlines\x1b[0m"))
    assert "\x1b" not in said
