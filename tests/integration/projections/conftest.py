"""The command vault-projector within the test's own process: what main() prints, and how it exits."""

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import projections.command

DEADLINE_S = 30.0


class Done(NamedTuple):
    code: int
    shown: str
    said: str


class Commands:
    """On one event store and one folder of read models."""

    def __init__(self, folder: Path, argv: Callable[[list[str]], None]) -> None:
        self.folder = folder
        self.events_url = f"sqlite:///{folder}/events.db"
        self._argv = argv

    def run(self, *arguments: str) -> Done:
        """To its end, or until the deadline tells it to stop."""
        self._argv(["vault-projector", *arguments])
        shown, said, code = io.StringIO(), io.StringIO(), 0
        deadline = threading.Timer(DEADLINE_S, os.kill, (os.getpid(), signal.SIGTERM))
        deadline.start()
        try:
            with redirect_stdout(shown), redirect_stderr(said):
                projections.command.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            deadline.cancel()
        return Done(code, shown.getvalue(), said.getvalue())

    def refused(self, *arguments: str) -> str:
        """The one line that it leaves, when it exits with 1."""
        done = self.run(*arguments)
        assert done.code == 1, done
        assert done.said.startswith("vault-projector: ")
        assert done.said.count("\n") == 1
        return done.said

    def json(self, *arguments: str) -> Any:
        """Of the last line."""
        done = self.run(*arguments, "--json")
        assert done.code == 0, done
        return json.loads(done.shown.splitlines()[-1])


@pytest.fixture
def projector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    commands = Commands(tmp_path, lambda argv: monkeypatch.setattr(sys, "argv", argv))
    monkeypatch.setenv("VAULT_EVENT_STORE_URL", commands.events_url)
    monkeypatch.setenv("VAULT_READ_MODELS_URL", f"sqlite:///{tmp_path}/read-models")
    # It would bind every logger of this process to a stream that ends with the command.
    monkeypatch.setattr(projections.command, "configure_logs", lambda process, level: None)
    return commands
