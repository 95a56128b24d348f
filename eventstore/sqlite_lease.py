"""One active indexer per SQLite store: a file lock, which the kernel frees when its holder dies."""

import fcntl
import os
from pathlib import Path

from eventstore.errors import LeaseHeld, StoreUnwritable


class FileLease:
    """Holds `<store>.lease` locked from `acquire` to `release`; the file says who holds it."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.path = store.with_name(store.name + ".lease")
        self._fd: int | None = None

    def acquire(self, holder: str) -> None:
        """Raises LeaseHeld while another process holds it."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreUnwritable(str(self.path), str(error.strerror)) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = os.pread(fd, 200, 0).decode(errors="replace")
            os.close(fd)
            raise LeaseHeld(str(self.store), other or "unknown") from error
        self._fd = fd
        try:
            os.truncate(fd, 0)
            os.pwrite(fd, holder.encode(), 0)
        except OSError as error:
            self.release()
            raise StoreUnwritable(str(self.path), str(error.strerror)) from error

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
