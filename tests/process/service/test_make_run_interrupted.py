"""Ctrl-C right after `make run`: it ends at once and in silence, whatever it was just doing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parents[3]
DEADLINE_S = 60
IMPORTED = "import time:"
Starter = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Starter]:
    """`python OPTIONS -m localnet ARGUMENTS`, killed when it takes too long, and at the end."""
    processes: list[subprocess.Popen[str]] = []
    deadlines: list[threading.Timer] = []

    def start_(*arguments: str, options: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
        command = [sys.executable, *options, "-m", "localnet", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "deploy")}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)
        processes.append(process)
        deadlines.append(threading.Timer(DEADLINE_S, process.kill))
        deadlines[-1].start()
        return process

    yield start_
    for process, deadline in zip(processes, deadlines, strict=True):
        deadline.cancel()
        process.kill()
        process.communicate()


def read_until_imported(stderr: IO[str] | None, module: str) -> None:
    assert stderr is not None
    for line in stderr:
        if line.rstrip().endswith(f" {module}"):
            return
    pytest.fail(f"it ended before it had imported {module}")


@pytest.mark.parametrize("module", ["asyncio.events", "asyncio", "typer", "aiohttp", "solders.solders"])
def test_ctrl_c_while_it_still_imports_ends_it_silently_with_130(start: Starter, module: str) -> None:
    process = start("--help", options=("-X", "importtime"))  # whose lines say where it is
    read_until_imported(process.stderr, module)
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate()
    assert process.returncode == 130, said
    assert [line for line in said.splitlines() if not line.startswith(IMPORTED)] == []
    assert shown == ""


def test_ctrl_c_at_its_first_words_stops_it_in_order(start: Starter) -> None:
    process = start("--port", "0", "--json", "--no-traffic")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("{")
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate()
    assert (process.returncode, said) == (0, ""), said
    assert "stopped" in shown.splitlines()[-1]
