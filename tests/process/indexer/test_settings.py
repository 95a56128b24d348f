"""Settings, IDLs and arguments that make no sense: named in one line, exit code 1, before anything is made."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.process.indexer.conftest import IDL, ROOT, SECRET, Indexer, MakeIndexer

POSITION_MANAGER = "PMxt9H4RpGm5aj7GG1hPfs2HbTAovcJa93cbip2cjBM"


@pytest.fixture
def indexer(make_indexer: MakeIndexer) -> Indexer:
    """Its node is not there, and not asked either."""
    return make_indexer("indexer", f"http://user:{SECRET}@127.0.0.1:1/{SECRET}")


async def test_missing_settings_are_named_all_at_once(indexer: Indexer) -> None:
    for command, empty in (("run", None), ("status", "")):
        said = (await indexer.run(command, settings={"EVENT_STORE_URL": empty, "RPC_URLS": empty})).refusal
        assert "VAULT_EVENT_STORE_URL: Field required" in said
        assert "VAULT_RPC_URLS: Field required" in said
        assert ".env.example" in said


async def test_settings_that_make_no_sense_are_all_named(indexer: Indexer) -> None:
    wrong = {
        "COMMITMENT": "processed",
        "EVENT_SOURCES": "tea leaves",
        "LOG_LEVEL": "loud",
        "POLL_INTERVAL_S": "soon",
        "COVERAGE_INTERVAL_S": "nan",
        "RPC_TIMEOUT_S": "inf",
        "RPC_CONCURRENCY": "0",
        "MAX_TRANSACTION_VERSION": "-1",
        "PROGRAM_ID": "not base58!",
        "RPC_URLS": " , ",
    }
    said = (await indexer.run(settings=wrong)).refusal
    for name in wrong:
        assert f"VAULT_{name}: " in said
    assert not indexer.path.exists()


async def test_a_program_id_that_is_not_the_idls_is_refused(indexer: Indexer) -> None:
    said = (await indexer.run(settings={"PROGRAM_ID": POSITION_MANAGER})).refusal
    assert f"it is of program CVxtopwzPR1UqUTjThq2UqFvfYFxmDsCHpgD6FjcjyGk, not {POSITION_MANAGER}" in said
    assert "set VAULT_IDL to the IDL of VAULT_PROGRAM_ID" in said
    assert not indexer.path.exists()


def without_address(idl: Any) -> None:
    del idl["address"]


def without_event(idl: Any) -> None:
    idl["events"] = [event for event in idl["events"] if event["name"] != "Deposited"]


def without_field(idl: Any) -> None:
    fields(idl)[:] = [field for field in fields(idl) if field["name"] != "amount"]


def with_another_type(idl: Any) -> None:
    next(field for field in fields(idl) if field["name"] == "amount")["type"] = "string"


def with_one_discriminator_for_all(idl: Any) -> None:
    for event in idl["events"]:
        event["discriminator"] = [1] * 8


def with_events_that_are_none(idl: Any) -> None:
    idl["events"] = 7


def fields(idl: Any) -> Any:
    return next(t for t in idl["types"] if t["name"] == "Deposited")["type"]["fields"]


async def test_an_idl_that_does_not_describe_our_events_is_refused(indexer: Indexer, tmp_path: Path) -> None:
    reasons = {
        without_address: "it names no program address, and VAULT_PROGRAM_ID is not set",
        without_event: "it has no event Deposited with named fields: set VAULT_IDL",
        without_field: "its event Deposited has no fitting field amount: set VAULT_IDL",
        with_another_type: "its event Deposited has no fitting field amount: set VAULT_IDL",
        with_one_discriminator_for_all: "have one discriminator",
        with_events_that_are_none: "events: is not a list",
    }
    files = {}
    for change in reasons:
        idl = json.loads(IDL.read_text())
        change(idl)
        files[change] = tmp_path / f"{change.__name__}.json"
        files[change].write_text(json.dumps(idl))
    await refused(indexer, {str(files[change]): reason for change, reason in reasons.items()})


async def test_a_file_that_is_no_idl_or_another_programs_is_refused(indexer: Indexer) -> None:
    reasons = {
        "/nowhere/idl.json": "cannot be read (No such file",
        "/": "cannot be read (Is a directory",
        str(ROOT / "README.md"): "is not JSON",
        str(ROOT / "deploy" / "localnet" / "package.json"): "has neither instructions nor events",
        str(IDL.with_name("position_manager.json")): "it has no event AuthorityInitialized",
    }
    await refused(indexer, reasons)


async def refused(indexer: Indexer, reasons: dict[str, str]) -> None:
    """Each IDL for its reason; and what to do is said."""
    done = await asyncio.gather(*(indexer.run(settings={"IDL": path}) for path in reasons))
    for (path, reason), ended in zip(reasons.items(), done, strict=True):
        assert path in ended.refusal
        assert reason in ended.refusal
        assert "IDL" in ended.refusal.split(reason)[1] or "VAULT_PROGRAM_ID" in reason
    assert not indexer.path.exists()


async def test_help_needs_no_settings_and_says_what_they_are(indexer: Indexer) -> None:
    commands = [[], ["run"], ["status"], ["decode"]]
    settings = {"EVENT_STORE_URL": None, "RPC_URLS": None}
    for command, done in zip(
        commands, await asyncio.gather(*(indexer.run(*c, "--help", settings=settings) for c in commands)), strict=True
    ):
        assert (done.code, done.err) == (0, "")
        assert "settings" in done.out.lower()
        assert ("VAULT_" in done.out) is (command != ["decode"])


async def test_a_command_that_there_is_not_is_refused(indexer: Indexer) -> None:
    done = await indexer.run("index")
    assert done.code == 2
    assert "index" in done.err
