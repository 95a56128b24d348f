"""`make run` as a process: real node and traffic; the three services are stand-ins that record what became of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from localnet import service

DEPLOY = Path(service.__file__).parents[1]
TIMEOUT_S = 60

INDEXER = """
import os
from eventstore.open import open_ingest_store
open_ingest_store(os.environ["VAULT_EVENT_STORE_URL"]).close()
print("commitment", os.environ["VAULT_RPC_URLS"], flush=True)
time.sleep(float(os.environ.get("INDEXER_STARTS_IN_S", "0")))
print('{"event": "started"}', flush=True)
signal.pause()
"""
PROJECTOR = """
print('{"event": "following"}', flush=True)
signal.pause()
"""
API = """
import os
from aiohttp import web
async def vaults(request):
    vault = {"address": "x", "totalBalance": "12345678", "decimals": 6}
    meta = {"slot": 1, "position": 3, "generation": 1, "completeThroughSlot": 2}
    return web.json_response({"data": [vault], "meta": meta})
app = web.Application()
app.router.add_get("/v1/vaults", vaults)
print('{"event": "listening"}', flush=True)
web.run_app(app, host=os.environ["VAULT_API_HOST"], port=int(os.environ["VAULT_API_PORT"]), handle_signals=False)
"""
STAND_INS = {"vault-indexer": INDEXER, "vault-projector": PROJECTOR, "vault-api": API}
PREAMBLE = """#!{python}
import signal, sys, time
def stop(*_):
    print("stopped at", time.monotonic(), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
"""
ENTRY = """
import sys
from pathlib import Path
from localnet import run_folder, stack
run_folder.ROOT, stack.BIN = Path(sys.argv.pop(1)), Path(sys.argv.pop(1))
from localnet.command import app
app()
"""


class Run:
    def __init__(self, process: "subprocess.Popen[str]", runs: Path) -> None:
        self.process = process
        self._runs = runs
        self.pids: dict[str, int] = {}

    @property
    def folder(self) -> Path:
        [folder] = self._runs.iterdir()
        return folder

    def wait_for(self, key: str) -> dict[str, Any]:
        """The next line with that fact."""
        for line in lines(self.process.stdout):
            self.pids |= line.get("pids", {})
            if key in line:
                return line
        raise AssertionError(f"it ended without {key}: {self.errors()}")

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def check_that_nothing_is_left(self) -> None:
        deadline = time.monotonic() + 10
        for name, pid in self.pids.items():
            while Path(f"/proc/{pid}").exists() and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                assert time.monotonic() < deadline, f"{name} ({pid}) is still there"


def lines(stream: IO[str] | None) -> Iterator[dict[str, Any]]:
    assert stream is not None
    for line in stream:
        yield json.loads(line)


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """A folder with the three commands."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in STAND_INS.items():
        (folder / name).write_text(PREAMBLE.format(python=sys.executable) + body, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def run(tmp_path: Path, services: Path) -> Iterator[Run]:
    yield from start(tmp_path / "runs", services)


def start(runs: Path, services: Path, *options: str, **environment: str) -> Iterator[Run]:
    process = subprocess.Popen(
        [sys.executable, "-c", ENTRY, str(runs), str(services), "--json", "--port", "0", "--rate", "20", *options],
        env=os.environ | {"PYTHONPATH": str(DEPLOY)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Run(process, runs)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_in_order_and_the_exit_code_is_0(run: Run, number: signal.Signals) -> None:
    run.wait_for("firstDepositS")

    run.process.send_signal(number)

    assert run.process.wait(TIMEOUT_S) == 0
    run.check_that_nothing_is_left()
    logs = [run.folder / f"{name}.log" for name in ("vault-api", "vault-projector", "vault-indexer")]
    stopped = [float(log.read_text().split("stopped at")[1].split()[0]) for log in logs]
    assert stopped == sorted(stopped)


def test_the_status_says_what_the_sources_say(run: Run) -> None:
    run.wait_for("pids")

    while (line := run.wait_for("lagSlots"))["vaults"] is None or line["sent"] < 10:
        pass

    assert (line["projected"], line["tvl"], line["completeThroughSlot"]) == (3, 12_345_678, 2)
    assert line["slot"] > 31


def test_a_service_that_dies_stops_the_others_and_its_last_words_are_repeated(run: Run, services: Path) -> None:
    dying = "print('the disk is full'); sys.exit(3)"
    (services / "vault-projector").write_text(PREAMBLE.format(python=sys.executable) + dying, encoding="utf-8")

    assert run.process.wait(TIMEOUT_S) == 1

    said = run.errors()
    assert "vault-projector ended by itself with exit code 3" in said
    assert said.rstrip().endswith("the disk is full")
    run.check_that_nothing_is_left()


def test_a_node_that_dies_is_named_even_if_the_traffic_notices_first(run: Run) -> None:
    run.wait_for("firstDepositS")

    os.kill(run.pids["node"], signal.SIGKILL)

    assert run.process.wait(TIMEOUT_S) == 1
    assert "the local node ended by itself with exit code -9" in run.errors()
    run.check_that_nothing_is_left()


def test_nothing_outlives_a_run_that_is_killed(run: Run) -> None:
    run.wait_for("firstDepositS")

    run.process.kill()

    run.process.wait(TIMEOUT_S)
    assert len(run.pids) == 4
    run.check_that_nothing_is_left()


def test_a_duration_ends_the_run(tmp_path: Path, services: Path) -> None:
    for run in start(tmp_path / "runs", services, "--duration", "3", "--no-traffic"):
        run.wait_for("pids")
        assert run.process.wait(TIMEOUT_S) == 0
        run.check_that_nothing_is_left()


def test_against_a_cluster_there_is_neither_node_nor_traffic(tmp_path: Path, services: Path) -> None:
    for run in start(tmp_path / "runs", services, VAULT_RPC_URLS="http://127.0.0.1:9"):
        line = run.wait_for("pids")
        assert line["node"] is None
        assert run.pids.keys() == STAND_INS.keys()
        assert "http://127.0.0.1:9" in (run.folder / "vault-indexer.log").read_text()
        assert f"data, kept     {tmp_path}/.cluster" in line["text"]
        assert (tmp_path / ".cluster" / "events.db").exists()
        assert "firstDepositS" not in run.wait_for("elapsedS"), "it may be of an earlier run"
        run.process.terminate()
        assert run.process.wait(TIMEOUT_S) == 0


def test_it_does_not_say_that_all_processes_run_before_each_has_said_so(tmp_path: Path, services: Path) -> None:
    waits_s = 1.5
    options = {"VAULT_RPC_URLS": "http://127.0.0.1:9", "INDEXER_STARTS_IN_S": str(waits_s)}
    began_s = time.monotonic()
    for run in start(tmp_path / "runs", services, **options):
        run.wait_for("pids")
        assert time.monotonic() - began_s > waits_s
        run.process.terminate()
        assert run.process.wait(TIMEOUT_S) == 0


def test_a_port_in_use_is_one_line_that_names_the_setting(tmp_path: Path, services: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for run in start(tmp_path / "runs", services, "--port", port):
            assert run.process.wait(TIMEOUT_S) == 1
            [line] = run.errors().splitlines()
            assert line.startswith(f"localnet: port {port} on 127.0.0.1 is in use; ")
            assert "VAULT_API_PORT" in line
