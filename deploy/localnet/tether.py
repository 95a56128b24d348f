"""Becomes a command that the kernel kills when the process that started it dies: tether.py PARENT_PID UID COMMAND…

A program of its own, because a function that runs between fork and exec is not safe beside threads.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def tethered(command: Sequence[str], *, user: str | None = None) -> list[str]:
    """To be started in the main thread, whose end the kernel takes for ours; `user`: the name of who runs it."""
    uid = pwd.getpwnam(user).pw_uid if user else os.geteuid()
    return [sys.executable, "-I", str(Path(__file__).resolve()), str(os.getpid()), str(uid), *command]


def main() -> None:
    parent, uid, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if uid != os.geteuid():
        os.setuid(uid)
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:  # not before: another user would undo it
        sys.exit("tether: the kernel refused PR_SET_PDEATHSIG")
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
