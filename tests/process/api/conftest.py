"""The vault-api command as a process of its own, on a free port."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localnet.tether import tethered

COMMAND = str(Path(sys.executable).with_name("vault-api"))
DEADLINE_S = 20.0
POLL_S = 0.01


class ApiProcess:
    """What it says on stderr goes to a file; `lines` are those that it said so far."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                tethered([COMMAND]), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
            )

    @property
    def lines(self) -> list[Any]:
        """Of the log: each must be JSON."""
        return [json.loads(line) for line in self._log.read_text().splitlines(keepends=True) if line.endswith("\n")]

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def port(self) -> int:
        (url,) = (line["url"] for line in self.lines if line["event"] == "listening")
        return int(url.rsplit(":", 1)[1])

    def wait_until(self, condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert self.process.poll() is None, f"it has ended: {self.said}"
            assert time.monotonic() < end_s, f"not within {DEADLINE_S} s: {self.said}"
            time.sleep(POLL_S)

    def wait_until_logged(self, event: str) -> None:
        self.wait_until(lambda: any(line["event"] == event for line in self.lines))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit code, and how long it took."""
        asked_s = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S), time.monotonic() - asked_s


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Takes a free port; the test finds it in the log."""
    return {**os.environ, "VAULT_READ_MODELS_URL": f"sqlite:///{tmp_path}/read-models", "VAULT_API_PORT": "0"}


@pytest.fixture
def api(environment: dict[str, str], tmp_path: Path) -> Iterator[ApiProcess]:
    api = ApiProcess(environment, tmp_path / "api.log")
    try:
        api.wait_until_logged("listening")
        yield api
    finally:
        if api.process.poll() is None:
            api.process.kill()
            api.process.wait()
