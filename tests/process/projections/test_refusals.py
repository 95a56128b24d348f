"""What cannot be done is said in one clear line: what, where, what to do. Exit code 1, no traceback, nothing lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventstore.open import open_ingest_store
from eventstore.port import IngestStore
from projections.registry import PROJECTIONS
from tests.process.projections.conftest import Projector, bound_by_permissions, refused, small_disk
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history

COMMANDS = pytest.mark.parametrize("command", ["run", "rebuild"])


@pytest.fixture(autouse=True)
def facts(events: IngestStore) -> None:
    append(events, random_history(steps=2_000, vaults=20))


def statement(path: Path, text: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(text)
        connection.commit()


@pytest.mark.parametrize("command", ["run", "rebuild", "status", "digest"])
@pytest.mark.parametrize("name", ["VAULT_EVENT_STORE_URL", "VAULT_READ_MODELS_URL"])
def test_a_missing_setting_names_itself(projector: Projector, command: str, name: str) -> None:
    said = refused(projector.run(command, settings={name: None}))
    assert f"{name}: Field required" in said
    assert ".env.example" in said


def test_settings_that_make_no_sense_are_all_named(projector: Projector) -> None:
    wrong = {"VAULT_PROJECTOR_BATCH": "0", "VAULT_GENERATION_GRACE_S": "soon", "VAULT_LOG_LEVEL": "loud"}
    said = refused(projector.run("run", settings=dict(wrong)))
    assert all(name in said for name in wrong)


@pytest.mark.parametrize("command", ["run", "rebuild", "status", "digest"])
@pytest.mark.parametrize("url", ["mongodb://host/db", "sqlite:///", "/var/lib/read-models"])
def test_a_url_that_names_no_read_models_is_refused(projector: Projector, command: str, url: str) -> None:
    said = refused(projector.run(command, settings={"VAULT_READ_MODELS_URL": url}))
    assert "VAULT_READ_MODELS_URL" in said
    assert "use sqlite:///relative-folder" in said


@COMMANDS
def test_a_url_that_names_no_event_store_is_refused(projector: Projector, command: str) -> None:
    said = refused(projector.run(command, settings={"VAULT_EVENT_STORE_URL": "mysql://ann:hush@host/db?key=hush"}))
    assert "VAULT_EVENT_STORE_URL 'mysql://host/db': only sqlite" in said
    assert "hush" not in said


def test_a_projection_that_there_is_not_is_refused_with_those_that_there_are(projector: Projector) -> None:
    said = refused(projector.run("run", "--projection", "balances"))
    assert "there is no projection 'balances': choose from vaults, transactions" in said


@COMMANDS
def test_a_folder_that_is_read_only_is_named(projector: Projector, command: str) -> None:
    projector.models.mkdir(mode=0o555)
    said = refused(projector.run(command, before=bound_by_permissions))
    assert f"cannot write {projector.models}" in said
    assert "fix permissions and restart" in said


@COMMANDS
def test_a_folder_whose_parent_is_read_only_is_named(projector: Projector, command: str, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    url = f"sqlite:///{tmp_path}/locked/read-models"
    said = refused(projector.run(command, settings={"VAULT_READ_MODELS_URL": url}, before=bound_by_permissions))
    assert f"cannot write {tmp_path}/locked/read-models: Permission denied" in said


@COMMANDS
def test_a_file_in_the_folders_place_is_named(projector: Projector, command: str) -> None:
    projector.models.write_text("a file")
    assert str(projector.models) in refused(projector.run(command))
    assert projector.models.read_text() == "a file"


@COMMANDS
def test_a_full_disk_is_said_and_what_is_missing_is_made_up_when_there_is_room(
    projector: Projector, command: str
) -> None:
    said = refused(projector.run(command, before=small_disk))
    full = (
        f"{projector.models}/" if command == "run" else f"{projector.folder}/events.db: "
    )  # that it is done is a fact
    assert f"cannot write {full}" in said
    assert "nothing was lost, free space" in said
    assert projector.json("rebuild")["events"] > 2_000 * 0.9


@COMMANDS
def test_read_models_of_a_newer_format_are_refused(projector: Projector, command: str) -> None:
    projector.json("rebuild")
    statement(projector.models / "catalog.db", "PRAGMA user_version = 99")
    said = refused(projector.run(command))
    assert "catalog.db has format version 99, this software knows 1: use the newer version" in said


def test_a_generation_of_a_newer_format_is_refused(projector: Projector) -> None:
    projector.json("rebuild")
    statement(projector.models / "vaults.g1.db", "PRAGMA user_version = 99")
    assert "vaults.g1.db has format version 99" in refused(projector.run("run"))


@COMMANDS
def test_another_programs_database_is_refused_and_left_alone(projector: Projector, command: str) -> None:
    projector.models.mkdir()
    statement(projector.models / "catalog.db", "CREATE TABLE theirs (x)")
    before = (projector.models / "catalog.db").read_bytes()
    assert "holds no read models" in refused(projector.run(command))
    assert (projector.models / "catalog.db").read_bytes() == before


@COMMANDS
def test_a_file_that_is_no_database_is_refused(projector: Projector, command: str) -> None:
    projector.models.mkdir()
    (projector.models / "catalog.db").write_text("not a database, by any measure\n" * 100)
    assert "holds no read models" in refused(projector.run(command))


def test_an_event_store_that_lost_facts_stops_it_and_the_line_says_the_way_out(
    projector: Projector, tmp_path: Path
) -> None:
    projector.json("rebuild")
    other = Projector(tmp_path / "other")
    restored = open_ingest_store(other.events_url)
    append(restored, random_history(steps=20, vaults=2))
    restored.close()
    said = refused(projector.run("run", settings={"VAULT_EVENT_STORE_URL": other.events_url}))
    assert "run vault-projector rebuild --projection" in said
    projector.settings["VAULT_EVENT_STORE_URL"] = other.events_url
    assert projector.json("rebuild")["generation"] == dict.fromkeys(PROJECTIONS, 2)
