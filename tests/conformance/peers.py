"""Other decoders, each installed once into the checkout and run as a child process that answers line by line."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from localnet.node_runtime import NPM_FLAGS, NodeRuntime

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".conformance"
ANCHORPY_SCRIPT = HERE / "decode_anchorpy.py"
NODE_SCRIPT = HERE / "decode.mjs"
INSTALL_TIMEOUT_S = 300
ANSWER_TIMEOUT_S = 60
SINCE_0_30, UP_TO_0_29 = "@anchor-lang/core", "@coral-xyz/anchor"
"""Anchor's own packages for the two formats; package.json has their versions."""


class CannotInstall(Exception):
    """Its packages need the registries once: check the network, then run this again."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"{what} could not be installed into {FOLDER}: {said[-600:]}; {self.__doc__}")


class Found(NamedTuple):
    events: list[dict[str, Any]]
    """Each with its name, and as data a value that says of which kind it is; see `agreement`."""
    error: str | None = None
    """Raised after these events."""


class Answer(NamedTuple):
    payloads: Sequence[Found] = ()
    logs: Sequence[Found] = ()
    refused: str | None = None
    """Why it cannot work with the IDL at all."""


class Peer:
    """Answers one question after the other, or is killed."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(
        self, idl: bytes, program: str, payloads: Sequence[bytes] = (), logs: Sequence[list[str]] = (), **more: bool
    ) -> Answer:
        question = {"payloads": [base64.b64encode(one).decode() for one in payloads], "logs": list(logs), **more}
        answer = json.loads(self._answered(json.dumps({"idl": idl.decode(), "program": program} | question)))
        if "refused" in answer:
            return Answer(refused=answer["refused"])
        return Answer([Found(**one) for one in answer["payloads"]], [Found(**one) for one in answer["logs"]])

    def _answered(self, question: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(ANSWER_TIMEOUT_S, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(question + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline() or '{"refused": "it died"}'
        finally:
            watchdog.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def anchor(runtime: NodeRuntime, package: str) -> Peer:
    return Peer([runtime.node, NODE_SCRIPT, _packages(runtime), package])


def anchorpy() -> Peer:
    """Its script names all that it needs."""
    folder = FOLDER / "anchorpy"
    if not _is_installed(folder, ANCHORPY_SCRIPT):
        uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))
        if uv is None:
            raise CannotInstall("anchorpy", "there is no uv: `make install` brings it")
        command = [uv, "sync", "--quiet", "--active", "--python", sys.executable, "--script", str(ANCHORPY_SCRIPT)]
        _run("anchorpy", command, HERE, VIRTUAL_ENV=str(folder))
        _mark_installed(folder, ANCHORPY_SCRIPT)
    return Peer([folder / "bin" / "python", ANCHORPY_SCRIPT])


def _packages(runtime: NodeRuntime) -> Path:
    folder, lock = FOLDER / "node", HERE / "package-lock.json"
    if not _is_installed(folder, lock):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, folder / name)
        _run("Anchor's decoders", [*runtime.npm, "ci", *NPM_FLAGS], folder)
        _mark_installed(folder, lock)
    return folder


def _is_installed(folder: Path, pins: Path) -> bool:
    stamp = folder / "installed.sha256"
    return stamp.exists() and stamp.read_text(encoding="ascii") == hashlib.sha256(pins.read_bytes()).hexdigest()


def _mark_installed(folder: Path, pins: Path) -> None:
    (folder / "installed.sha256").write_text(hashlib.sha256(pins.read_bytes()).hexdigest(), encoding="ascii")


def _run(what: str, command: list[str], folder: Path, **environment: str) -> None:
    try:
        subprocess.run(
            command,
            cwd=folder,
            env=os.environ | environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.CalledProcessError as error:
        raise CannotInstall(what, error.stderr) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstall(what, str(error)) from error
