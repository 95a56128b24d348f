"""A rebuild shared among processes, each with some of the projections."""

import asyncio
import os
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Any

import msgspec

from projections.errors import RebuildFailed
from projections.loading import Report
from projections.progress import RebuildProgress
from projections.projection import Projection

LINE_BYTES_MAX = 1 << 20


async def rebuild_by_workers(
    shares: Sequence[Sequence[Projection]], options: Sequence[str], *, as_json: bool
) -> list[dict[str, Any]]:
    """The last line of each, decoded. What one has flipped to stays, whatever becomes of the others.

    Raises RebuildFailed after all have ended. Those that are under way when this is cancelled are stopped.
    """
    with RebuildProgress("", as_json=as_json) as progress:
        processes = [await _start(share, options) for share in shares]
        try:
            ended = await asyncio.gather(*(_follow(process, progress, as_json=as_json) for process in processes))
        finally:
            for process in processes:
                if process.returncode is None:
                    process.terminate()
                    await process.wait()
    failures = [error for _, error in ended if error is not None]
    if failures:
        raise RebuildFailed(failures)
    return [line for line, _ in ended]


async def _start(share: Sequence[Projection], options: Sequence[str]) -> Process:
    named = [word for projection in share for word in ("--projection", projection.name)]
    arguments = ("-m", "projections", "rebuild", "--json", "--is-worker", *named, *options)
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LINE_BYTES_MAX
    )


def end_with_parent() -> None:
    """In a worker: its standard input ends when the process that started it has died, however that was."""

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)  # as by kill -9: a rebuild can be stopped at any moment

    threading.Thread(target=wait, daemon=True).start()


async def _follow(process: Process, progress: RebuildProgress, *, as_json: bool) -> tuple[dict[str, Any], str | None]:
    """Its last line, and, if it failed, why."""
    assert process.stdout is not None
    assert process.stderr is not None
    said = asyncio.create_task(process.stderr.read())
    last: dict[str, Any] = {}
    reports: dict[str, Report] = {}
    while line := await process.stdout.readline():
        last = msgspec.json.decode(line, type=dict[str, Any])
        if "phase" not in last:
            continue
        if as_json:
            sys.stdout.write(line.decode())
            sys.stdout.flush()
        else:
            label = last["projection"]
            report = reports.setdefault(label, reports.get(label) or progress.report_of(label))
            report(last["phase"], last["done"], last["of"])
    code, error = await process.wait(), (await said).decode(errors="replace").strip()
    if code == 0:
        return last, None
    return last, error.splitlines()[-1].removeprefix("vault-projector: ") if error else f"a worker ended with {code}"
