"""One process of the service beside the local node: started, watched and stopped; what it says goes to a file."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from localnet.errors import ChildDied, NotReady
from localnet.tether import tethered

STOP_TIMEOUT_S = 15
LAST_LINES = 15
POLL_EVERY_S = 0.05


class Service:
    """Leads a process group of its own, so that Ctrl-C in a terminal reaches only us, and dies when we do."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = Path(command[0]).name
        self.log = log
        self._command = command
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    async def start(self) -> None:
        """To be called in the main thread."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(self._command),
                env=dict(self._environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def wait_until_logged(self, event: str, timeout_s: float) -> None:
        """Raises ChildDied when it ends before, and NotReady when it takes too long."""
        deadline = time.monotonic() + timeout_s
        while f'"event": "{event}"' not in self.log.read_text(encoding="utf-8", errors="replace"):
            self.check()
            if time.monotonic() > deadline:
                raise NotReady(self.name, timeout_s, str(self.log), last_lines(self.log))
            await asyncio.sleep(POLL_EVERY_S)

    async def watch(self) -> None:
        """Returns when the process was stopped by us; raises ChildDied when it ended otherwise."""
        assert self._process is not None, f"{self.name} was not started"
        await self._process.wait()
        self.check()

    def check(self) -> None:
        """Raises ChildDied when the process ended though we did not stop it."""
        code = self._process.returncode if self._process else None
        if code is not None and not self._stopping:
            raise ChildDied(self.name, code, str(self.log), last_lines(self.log))

    async def stop(self) -> None:
        """Asks with SIGTERM; what does not listen is killed. Twice is fine, and so is never having started."""
        self._stopping = True
        if self._process is None or self._process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def last_lines(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-LAST_LINES:]) or "(it is empty)"
