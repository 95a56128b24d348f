"""Folders for the data and logs of one run each: a new node is a new chain, and wants an empty store."""

import fcntl
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / ".run"
KEPT = 5
LOCK = "held"
NAME = "%Y%m%d-%H%M%S"


def of_cluster() -> Path:
    """Beside the others: it is kept, and is not among what `make clean` removes."""
    return ROOT.with_name(".cluster")


def create(root: Path, now: datetime | None = None) -> Path:
    """Named for the time, in UTC. Older ones than the last few are removed, unless they are held or not ours."""
    started = (now or datetime.now(UTC)).strftime(NAME)
    folder, count = root / started, 1
    while folder.exists():
        count += 1
        folder = root / f"{started}-{count}"
    folder.mkdir(parents=True)
    for old in sorted(path for path in root.iterdir() if _is_ours(path))[:-KEPT]:
        if not _is_held(old):
            shutil.rmtree(old, ignore_errors=True)
    return folder


def hold(folder: Path) -> int:
    """Keeps later runs from removing the folder until this process ends, or the file descriptor is closed."""
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def _is_held(folder: Path) -> bool:
    try:
        fd = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _is_ours(path: Path) -> bool:
    try:
        datetime.strptime(path.name[:15], NAME).replace(tzinfo=UTC)
    except ValueError:
        return False
    return path.is_dir()
