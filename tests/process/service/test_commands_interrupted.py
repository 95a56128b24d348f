"""Ctrl-C right after a command of ours was started: it ends at once and in silence, with 130."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.process.service.test_make_run_interrupted import DEADLINE_S, IMPORTED, read_until_imported

BIN = Path(sys.executable).parent
SCRIPTS = {"indexer": "vault-indexer", "projections": "vault-projector", "api": "vault-api"}


@pytest.mark.parametrize("module", ["typing", "asyncio", "structlog", "pydantic", "typer"])
@pytest.mark.parametrize("start", ["script", "-m"])
@pytest.mark.parametrize("package", SCRIPTS)
def test_ctrl_c_while_a_command_still_imports_ends_it_silently_with_130(package: str, start: str, module: str) -> None:
    arguments = ["-m", package] if start == "-m" else [str(BIN / SCRIPTS[package])]
    command = [sys.executable, "-X", "importtime", *arguments, "--help"]  # its lines say where it is
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        deadline = threading.Timer(DEADLINE_S, process.kill)
        deadline.start()
        try:
            read_until_imported(process.stderr, module)
            process.send_signal(signal.SIGINT)
            shown, said = process.communicate()
        finally:
            deadline.cancel()
    assert process.returncode == 130, said
    assert [line for line in said.splitlines() if not line.startswith(IMPORTED)] == []
    assert shown == ""
