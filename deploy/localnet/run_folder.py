"""Folders for the data and logs of one run each: a new node is a new chain, and wants an empty store."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / ".run"
KEPT = 5
NAME = "%Y%m%d-%H%M%S"


def create(root: Path, now: datetime | None = None) -> Path:
    """Named for the time, in UTC. Older ones than the last few are removed, whatever else lies there is left alone."""
    started = (now or datetime.now(UTC)).strftime(NAME)
    folder, count = root / started, 1
    while folder.exists():
        count += 1
        folder = root / f"{started}-{count}"
    folder.mkdir(parents=True)
    for old in sorted(path for path in root.iterdir() if _is_ours(path))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _is_ours(path: Path) -> bool:
    try:
        datetime.strptime(path.name[:15], NAME).replace(tzinfo=UTC)
    except ValueError:
        return False
    return path.is_dir()
