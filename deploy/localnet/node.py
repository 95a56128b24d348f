"""One Surfpool node on the loopback interface: started, asked for its addresses, and stopped."""

import asyncio
import contextlib
import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from solders.keypair import Keypair

from localnet import node_runtime
from localnet.cheatcodes import Cheatcodes
from localnet.errors import NodeFailed

LAUNCHER = Path(__file__).with_name("node.mjs")
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 5
PAYER_LAMPORTS = 100_000 * 10**9


class LocalNode:
    """A new chain at every start, gone when it stops. Its process ends with ours, however ours ends.

    `transaction` makes a block of every transaction, and about 13 empty ones a second; `clock` makes one every
    `slot_ms`. Either way a slot is final 31 slots later. The ports are free ones that the node chooses.
    """

    def __init__(
        self,
        *,
        block_production: Literal["transaction", "clock"] = "transaction",
        slot_ms: int = 400,
        payer: Keypair | None = None,
        folder: Path = node_runtime.FOLDER,
        log: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        """`slot_ms` counts with `clock` only. The node's standard error goes to `log`, or is kept for messages."""
        self.payer = payer or Keypair()
        """Has lamports enough for any demonstration, and may upgrade the programs that are deployed."""
        self.rpc_url = ""
        self.ws_url = ""
        self.cheatcodes: Cheatcodes
        self._config: dict[str, Any] = {"offline": True, "blockProductionMode": block_production}
        if block_production == "clock":
            self._config["slotTimeMs"] = slot_ms
        self._folder = folder
        self._log = log
        self._say = say
        self._process: subprocess.Popen[str] | None = None
        self._stderr: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the node was not started"
        return self._process.pid

    def exit_code(self, within_s: float = 0) -> int | None:
        """None while the node runs. One that is dying may be waited for: its sockets are gone before it is."""
        assert self._process is not None, "the node was not started"
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(within_s)
        return None

    def start(self) -> None:
        """Returns when the node answers. Installs it first where that was not done yet."""
        assert self._process is None, "the node was started already"
        runtime = node_runtime.find()
        folder = node_runtime.install(runtime, self._folder, self._say)
        self._stderr = self._log.open("w+b") if self._log else tempfile.TemporaryFile()  # noqa: SIM115 closed in stop()
        self._process = subprocess.Popen(
            [runtime.node, LAUNCHER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            start_new_session=True,  # so that Ctrl-C in the terminal reaches us alone
        )
        try:
            self._introduce(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Twice is fine."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin
        assert process.stdout
        assert self._stderr
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._stderr.close()

    def _introduce(self, process: "subprocess.Popen[str]") -> None:
        """Hands over the configuration, with the payer's key, through the pipe; takes the addresses."""
        assert process.stdin
        assert process.stdout
        config = self._config | {"payerSecretKey": list(bytes(self.payer)), "airdropSol": PAYER_LAMPORTS}
        deadline = threading.Timer(START_TIMEOUT_S, process.kill)
        deadline.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(config) + "\n")
                process.stdin.flush()
            line = process.stdout.readline()
        finally:
            deadline.cancel()
        if not line:
            process.wait()
            raise NodeFailed("did not start", self._last_words())
        addresses = json.loads(line)
        self.rpc_url, self.ws_url = addresses["rpc"], addresses["ws"]
        self.cheatcodes = Cheatcodes(self.rpc_url)
        self.cheatcodes.call("getHealth")

    def _last_words(self) -> str:
        assert self._stderr is not None
        self._stderr.seek(0)
        said = self._stderr.read().decode(errors="replace")
        errors = re.findall(r"^\w*Error: .*", said, re.MULTILINE)  # Node.js quotes source before and a trace after it
        return (errors[0] if errors else said.strip())[:600]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)
