"""The command vault-projector as people and service managers run it: processes, signals, exit codes, stderr."""

import asyncio
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eventstore.open import open_ingest_store
from eventstore.port import IngestStore
from localnet.tether import tethered
from projections.errors import ReadModelsUnavailable
from projections.open import open_store
from projections.registry import PROJECTIONS
from tests.unit.projections.following import live_position

COMMAND = str(Path(sys.executable).with_name("vault-projector"))
DEADLINE_S = 60.0
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"waited {DEADLINE_S} s in vain: {what}"
        time.sleep(0.005)


def bound_by_permissions() -> None:
    """In a child before it begins: root is held back by permissions like everybody else."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def small_disk() -> None:
    """In a child before it begins: no file may grow beyond 100 kB."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


class Projector:
    """Starts the command on one event store and one folder of read models, and ends what it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events_url = f"sqlite:///{folder}/events.db"
        self.models = folder / "read-models"
        self.settings = {"VAULT_EVENT_STORE_URL": self.events_url, "VAULT_READ_MODELS_URL": f"sqlite:///{self.models}"}
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, settings: dict[str, str] | None = None) -> subprocess.Popen[str]:
        environment = {**os.environ, **self.settings, **(settings or {})}
        process = subprocess.Popen(
            tethered([COMMAND, *arguments]), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._started.append(process)
        return process

    def run(
        self,
        *arguments: str,
        settings: dict[str, str | None] | None = None,
        before: Callable[[], None] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """To its end. A setting of None is left out."""
        environment = {**os.environ, **self.settings, **(settings or {})}
        return subprocess.run(
            tethered([COMMAND, *arguments]),
            env={k: v for k, v in environment.items() if v is not None},
            preexec_fn=before,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Of the last line."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def position(self, projection: str = "vaults") -> int:
        """-1 while there is nothing to read."""

        async def read() -> int:
            store = open_store(self.settings["VAULT_READ_MODELS_URL"], create=False)
            try:
                return await live_position(store, PROJECTIONS[projection])
            finally:
                await store.close()

        try:
            return asyncio.run(read())
        except ReadModelsUnavailable:
            return -1

    def end_all(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def projector(tmp_path: Path) -> Iterator[Projector]:
    projector = Projector(tmp_path)
    yield projector
    projector.end_all()


@pytest.fixture
def events(projector: Projector) -> Iterator[IngestStore]:
    store = open_ingest_store(projector.events_url)
    yield store
    store.close()


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that it leaves, when it exits with 1."""
    assert done.returncode == 1, (done.returncode, done.stderr)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]  # its log is JSON
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("vault-projector: ")
    return lines[0]
