"""`make simulate`: many schedules, on all cores; a line for each that fails, which is enough to repeat it."""

import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated, NamedTuple

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.simulation.world import run_schedule

CHUNK = 20
QUIET = 50
"""A level of the log that nothing reaches."""


class Outcome(NamedTuple):
    seed: int
    lost: int
    doubled: int
    wrong: tuple[str, ...]
    events: int


def main(
    seeds: Annotated[int, typer.Option(min=1, help="How many schedules.")] = 1_000,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    seed: Annotated[int | None, typer.Option(help="This one alone, with its log.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Run the real indexer, event store and projectors on seeded chains; count what is lost or doubled."""
    if seed is not None:
        sys.exit(_report([_run(seed, level=10)], 0.0, as_json=as_json))
    began_s = time.perf_counter()
    numbers = range(first, first + seeds)
    with ProcessPoolExecutor(workers) as pool, _progress() as progress:
        task = progress.add_task("schedules", total=seeds)
        outcomes = []
        for outcome in pool.map(_run, numbers, chunksize=CHUNK):
            outcomes.append(outcome)
            progress.advance(task)
    sys.exit(_report(outcomes, time.perf_counter() - began_s, as_json=as_json))


def _run(seed: int, level: int = QUIET) -> Outcome:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    try:
        findings = run_schedule(seed)
    except Exception as error:  # of one schedule: the others go on
        if level < QUIET:
            raise
        return Outcome(seed, 0, 0, (f"{type(error).__name__}: {error}",), 0)
    return Outcome(seed, len(findings.lost), len(findings.doubled), tuple(findings.wrong), findings.events)


def _report(outcomes: list[Outcome], seconds: float, *, as_json: bool) -> int:
    """The exit status."""
    failed = [o for o in outcomes if o.lost or o.doubled or o.wrong]
    for o in failed:
        counts = f"{o.lost} lost, {o.doubled} doubled, {'; '.join(o.wrong[:1])}"
        text = f"seed {o.seed}: {counts}; again: make simulate SEED={o.seed}"
        print(json.dumps(o._asdict()) if as_json else text)
    lost, doubled = sum(o.lost for o in outcomes), sum(o.doubled for o in outcomes)
    if as_json:
        total = {"schedules": len(outcomes), "lost": lost, "doubled": doubled, "failed": len(failed)}
        print(json.dumps(total | {"events": sum(o.events for o in outcomes), "seconds": round(seconds, 1)}))
    else:
        print(f"{sum(o.events for o in outcomes)} events in {seconds:.0f} s, {len(failed)} schedules failed")
        print(f"{len(outcomes)} schedules, {lost} lost, {doubled} doubled")
    return 1 if failed else 0


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


if __name__ == "__main__":
    typer.run(main)
