"""What `vault-indexer` refuses at its start: one clear line, exit code 1, no key of a URL, and nothing changed."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from eventstore.open import open_ingest_store

COMMAND = str(Path(sys.executable).with_name("vault-indexer"))
ROOT = Path(__file__).parents[3]
IDL = ROOT / "programs" / "artifacts" / "vault_manager.json"
POSITION_MANAGER_IDL = IDL.with_name("position_manager.json")
DEADLINE_S = 60

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(folder: Path, rpc_url: str, **settings: str) -> dict[str, str]:
    ours = {"VAULT_EVENT_STORE_URL": f"sqlite:///{folder}/events.db", "VAULT_RPC_URLS": rpc_url}
    return {**os.environ, **ours, **{f"VAULT_{name}": value for name, value in settings.items()}}


async def refuse(settings: dict[str, str], *arguments: str) -> str:
    """What it says on standard error when it refuses."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, *(arguments or ("run",)), env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = err.decode()
    assert process.returncode == 1, text
    assert "Traceback" not in text
    assert "secret" not in text + out.decode()
    last = text.splitlines()[-1]
    assert last.startswith("vault-indexer: "), text
    return last


@pytest.fixture
async def nodes() -> AsyncIterator[Callable[[web.Response], "asyncio.Future[str]"]]:
    """Nodes that give one answer to everything; the URL holds a key."""
    servers: list[TestServer] = []

    async def start(answer: Callable[[], web.Response]) -> str:
        async def handle(_: web.Request) -> web.Response:
            return answer()

        app = web.Application()
        app.router.add_post("/{key:.*}", handle)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return f"http://user:secret@127.0.0.1:{server.port}/secret?key=secret"

    yield start  # type: ignore[misc]  # a coroutine function is all that is called
    for server in servers:
        await server.close()


async def test_a_node_that_is_not_there_or_makes_no_sense_is_named_without_its_key(
    nodes: Callable[[Callable[[], web.Response]], "asyncio.Future[str]"], tmp_path: Path, unused_tcp_port: int
) -> None:
    answers = {
        "HTTP 500": lambda: web.Response(status=500, text="oops"),
        "HTTP 429": lambda: web.Response(status=429, headers={"Retry-After": "1"}),
        "begins '<html>": lambda: web.Response(text="<html>hello</html>"),
        "not what was asked for": lambda: web.Response(text='{"jsonrpc":"2.0","id":1,"result":null}'),
        "without a result": lambda: web.Response(text='{"jsonrpc":"2.0","id":1}'),
    }
    urls = {reason: await nodes(answer) for reason, answer in answers.items()}
    urls["Cannot connect"] = f"http://user:secret@127.0.0.1:{unused_tcp_port}/secret"
    # together, because each is tried for a while before it is given up
    said = await asyncio.gather(
        *(refuse(environment(tmp_path / str(number), url)) for number, url in enumerate(urls.values()))
    )
    for (reason, url), line in zip(urls.items(), said, strict=True):
        assert reason in line
        assert url.split("@")[1].split("/")[0] in line
        assert "VAULT_RPC_URLS" in line


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"RPC_URLS": ""}, "VAULT_RPC_URLS"),
        ({"EVENT_STORE_URL": "mysql://x"}, "VAULT_EVENT_STORE_URL"),
        ({"IDL": "/nowhere/idl.json"}, "/nowhere/idl.json"),
        ({"IDL": str(ROOT / "README.md")}, "README.md"),
        ({"IDL": str(POSITION_MANAGER_IDL)}, "VAULT_IDL"),
        ({"PROGRAM_ID": "not base58!"}, "not base58!"),
        ({"PROGRAM_ID": "PMxt9H4RpGm5aj7GG1hPfs2HbTAovcJa93cbip2cjBM"}, "it is of program CVx"),
        ({"COMMITMENT": "processed"}, "VAULT_COMMITMENT"),
        ({"POLL_INTERVAL_S": "soon"}, "VAULT_POLL_INTERVAL_S"),
        ({"RPC_CONCURRENCY": "0"}, "VAULT_RPC_CONCURRENCY"),
        ({"MAX_TRANSACTION_VERSION": "-1"}, "VAULT_MAX_TRANSACTION_VERSION"),
    ],
)
async def test_a_setting_that_makes_no_sense_is_named(
    tmp_path: Path, unused_tcp_port: int, settings: dict[str, str], reason: str
) -> None:
    line = await refuse(environment(tmp_path, f"http://127.0.0.1:{unused_tcp_port}/secret", **settings))
    assert reason in line
    assert not (tmp_path / "events.db").exists()


async def test_missing_settings_are_named_all_at_once() -> None:
    line = await refuse({"PATH": os.environ["PATH"]})
    assert "VAULT_EVENT_STORE_URL" in line
    assert "VAULT_RPC_URLS" in line


async def test_an_idl_without_one_of_our_events_or_fields_is_refused(tmp_path: Path, unused_tcp_port: int) -> None:
    idl = json.loads(IDL.read_text())
    (deposited,) = [t for t in idl["types"] if t["name"] == "Deposited"]
    deposited["type"]["fields"] = [f for f in deposited["type"]["fields"] if f["name"] != "amount"]
    changed = tmp_path / "idl.json"
    changed.write_text(json.dumps(idl))
    line = await refuse(environment(tmp_path, f"http://127.0.0.1:{unused_tcp_port}", IDL=str(changed)))
    assert "its event Deposited has no fitting field amount" in line


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path, unused_tcp_port: int) -> None:
    open_ingest_store(f"sqlite:///{tmp_path}/events.db").close()
    connection = sqlite3.connect(tmp_path / "events.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    line = await refuse(environment(tmp_path, f"http://127.0.0.1:{unused_tcp_port}"))
    assert "99" in line
    assert "newer version" in line


async def test_a_store_that_another_indexer_runs_on_is_refused_with_its_holder(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    store = open_ingest_store(f"sqlite:///{tmp_path}/events.db")
    store.acquire_lease("host seven, process 77")
    line = await refuse(environment(tmp_path, f"http://127.0.0.1:{unused_tcp_port}"))
    assert "host seven, process 77" in line
    store.close()


async def test_status_says_that_there_is_no_store_yet(tmp_path: Path, unused_tcp_port: int) -> None:
    line = await refuse(environment(tmp_path, f"http://127.0.0.1:{unused_tcp_port}"), "status")
    assert "start the indexer first" in line
    assert not (tmp_path / "events.db").exists()
