"""Tests that are killed cannot clean up: what they started goes with them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE_S = 30.0
PRELUDE = """
import asyncio, sys, time
from pathlib import Path
folder, silent_url = Path(sys.argv[1]), sys.argv[2]
"""
STARTS = {
    "an indexer": """
from tests.process.indexer.conftest import Indexer
pid = asyncio.run(Indexer(folder, silent_url).start(settings={"RPC_TIMEOUT_S": "60"})).process.pid
""",
    "a projector": """
from tests.process.projections.conftest import Projector
from eventstore.open import open_ingest_store
projector = Projector(folder)
open_ingest_store(projector.events_url).close()
pid = projector.start("run").pid
""",
    "PostgreSQL": """
from localpostgres.server import PostgresServer
server = PostgresServer()
server.start()
pid = server.pid
""",
}
EPILOGUE = """
print(pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Of a node that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("what", STARTS)
def test_what_tests_started_does_not_outlive_them(what: str, silent_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PRELUDE + STARTS[what] + EPILOGUE, str(tmp_path), silent_url]
    path = os.pathsep.join((str(ROOT), str(ROOT / "deploy")))
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as tests:
        assert tests.stdout
        pid = int(tests.stdout.readline())
        assert is_running(pid), f"{what} is to be there before"

        os.kill(tests.pid, signal.SIGKILL)

    deadline_s = time.monotonic() + DEADLINE_S
    while is_running(pid):
        assert time.monotonic() < deadline_s, f"{what} is still there: process {pid}"


def is_running(pid: int) -> bool:
    """What nobody has waited for yet is a zombie, which runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
