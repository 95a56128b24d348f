"""`make run` with the real services: the first deposit over HTTP, then Ctrl-C, then nothing is left."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
DEADLINE_S = 60


@pytest.fixture
def everything() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "localnet", "--port", "0", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "deploy")}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    deadline = threading.Timer(DEADLINE_S, process.kill)
    deadline.start()
    yield process
    deadline.cancel()
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def line_with(process: "subprocess.Popen[str]", key: str) -> dict[str, Any]:
    """The first line that has the key; fails when the output ends before."""
    assert process.stdout is not None
    for text in process.stdout:
        line: dict[str, Any] = json.loads(text)
        if line.get(key):
            return line
    pytest.fail(f"it ended, or took longer than {DEADLINE_S} s, before it said {key}")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_first_deposit_becomes_visible_and_ctrl_c_leaves_nothing(everything: "subprocess.Popen[str]") -> None:
    pids = line_with(everything, "pids")["pids"]
    assert len(pids) >= 3
    line_with(everything, "firstDepositS")
    everything.send_signal(signal.SIGINT)
    assert everything.wait(DEADLINE_S) == 0
    assert not any(is_alive(pid) for pid in pids.values())
