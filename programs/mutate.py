"""Breaks the programs on purpose, one check at a time in a copy of the sources, and says which test notices.

Needs the builder that SBF names, and some hours. Results are kept in a folder for temporary files, so that an
interrupted run goes on where it was. What a test noticed is tried again once a source has changed, what none noticed
once a test has, too.
"""

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from programs import artifacts
from programs.mutations import Mutation, mutations_of

ROOT = artifacts.ROOT
TESTS = ROOT / "tests" / "program"
EQUIVALENTS = Path(__file__).with_name("equivalent_mutants.toml")
WORKSHOP = Path("/tmp/collateral-vault-mutants")
COPY, BUILT, MUTATED = (WORKSHOP / name for name in ("src", "built", "mutated"))
# Not asked: what an instruction costs, which depends on how it is built.
COSTS = TESTS / "test_compute_units.py"
# Asked last, since it takes as long as all others together.
PROPERTY = TESTS / "test_any_sequence.py"
# Optimising takes most of a build's time; what is left of it is done when all is linked.
QUICKLY = """
[profile.release]
lto = "off"
opt-level = 1
incremental = true
""" + "".join(f"\n[profile.release.package.{Path(crate).name}]\nopt-level = 0\n" for crate in artifacts.CRATES)
BUILD_S_MAX = 900
TEST_S_MAX = 600
UNBUILT = "does not build"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    crate: str
    source: Path
    """Relative to the repository's root."""
    mutation: Mutation

    @property
    def name(self) -> str:
        return f"{Path(self.crate).name}/{self.source.stem}: {self.mutation.name}"


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What results depend on, as digests."""

    sources: str
    tests: str


@dataclass(frozen=True, kw_only=True)
class Result:
    name: str
    source: str
    line: int
    caught_by: str | None
    seconds: float
    of_sources: str
    of_tests: str
    """Digests, as the inputs'."""


class Broken(Exception):
    """The programs do not pass as they are, so that nothing can be said of mutants."""


def main() -> int:
    options = parse()
    chosen = [mutant for mutant in mutants() if options.only in mutant.name]
    if options.list:
        print("\n".join(f"{mutant.source}:{mutant.mutation.line}: {mutant.name}" for mutant in chosen))
        return 0
    builder = artifacts.find_builder()
    if builder is None:
        return 2
    try:
        with workshop():
            if options.fresh:
                results_file(options.tests).unlink(missing_ok=True)
            results = list(run(builder, chosen, options.tests))
    except Broken as error:
        print(f"mutate: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mutate: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    return report(results, as_json=options.json, complete=not options.only)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutate", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the mutants and do nothing")
    parser.add_argument("--only", default="", metavar="TEXT", help="those whose name holds this text")
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of a table")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument(
        "--tests", type=Path, default=TESTS, metavar="PATH", help="tests to ask; default: tests/program"
    )
    return parser.parse_args()


def mutants() -> list[Mutant]:
    return [
        Mutant(crate=crate, source=path.relative_to(ROOT), mutation=mutation)
        for crate in artifacts.CRATES
        for path in sorted((ROOT / crate / "src").rglob("*.rs"))
        for mutation in mutations_of(path.read_text(encoding="utf-8"))
    ]


@contextmanager
def workshop() -> Iterator[None]:
    """A copy of the sources with the committed IDLs beside it, ours alone. What was compiled stays from run to run."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    with (WORKSHOP / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in (COPY, BUILT, MUTATED):
            shutil.rmtree(folder, ignore_errors=True)
        for source in artifacts.sources():
            target = COPY / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        config = COPY / ".cargo" / "config.toml"
        config.parent.mkdir()
        config.write_text(QUICKLY, encoding="utf-8")
        BUILT.mkdir()
        for idl in artifacts.COMMITTED.glob("*.json"):
            shutil.copy(idl, BUILT)
        yield


def run(builder: Path, chosen: list[Mutant], tests: Path) -> Iterator[Result]:
    inputs = Inputs(sources=digest(artifacts.sources()), tests=digest([*TESTS.glob("*.py"), *TESTS.glob("*.json")]))
    known = {result.name: result for result in earlier(tests) if holds(result, inputs)}
    left = [mutant for mutant in chosen if mutant.name not in known]
    yield from (known[mutant.name] for mutant in chosen if mutant.name in known)
    if not left:
        return
    say(f"{len(chosen) - len(left)} known, {len(left)} mutants left; building the programs as they are")
    prove_unbroken(builder, tests)
    began = time.monotonic()
    for number, mutant in enumerate(left, start=1):
        result = attempt(builder, mutant, tests, inputs)
        with results_file(tests).open("a", encoding="utf-8") as kept:
            kept.write(json.dumps(asdict(result)) + "\n")
        minutes = (time.monotonic() - began) / number * (len(left) - number) / 60
        say(f"[{number}/{len(left)}, {minutes:.0f} min left] {mutant.name}: {result.caught_by or 'ALIVE'}")
        yield result


def holds(result: Result, now: Inputs) -> bool:
    return result.of_sources == now.sources and (result.caught_by is not None or result.of_tests == now.tests)


def attempt(builder: Path, mutant: Mutant, tests: Path, inputs: Inputs) -> Result:
    started = time.monotonic()
    caught_by = noticed(builder, mutant, tests)
    return Result(
        name=mutant.name,
        source=str(mutant.source),
        line=mutant.mutation.line,
        caught_by=caught_by,
        seconds=round(time.monotonic() - started, 1),
        of_sources=inputs.sources,
        of_tests=inputs.tests,
    )


def prove_unbroken(builder: Path, tests: Path) -> None:
    for crate in artifacts.CRATES:
        if why := build(builder, crate, BUILT):
            raise Broken(f"{crate} as it is {why}")
    if failing := first_failure(tests, BUILT, likeliest=None):
        raise Broken(f"the programs as they are fail {failing}")


def noticed(builder: Path, mutant: Mutant, tests: Path) -> str | None:
    """The test that failed, or what else became of the mutant; None if it is alive."""
    file = COPY / mutant.source
    original = file.read_text(encoding="utf-8")
    shutil.rmtree(MUTATED, ignore_errors=True)
    shutil.copytree(BUILT, MUTATED)
    try:
        file.write_text(mutant.mutation.apply(original), encoding="utf-8")
        return build(builder, mutant.crate, MUTATED) or first_failure(tests, MUTATED, likeliest=mutant.source.stem)
    finally:
        file.write_text(original, encoding="utf-8")


def build(builder: Path, crate: str, out: Path) -> str | None:
    """Why there is no program."""
    target = out / f"{artifacts.library(crate)}.so"
    own = {"SBF_CACHE": str(WORKSHOP / "cache")}
    try:
        done = subprocess.run(
            [builder, "build", COPY / crate, target],
            env=os.environ | own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=BUILD_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "timeout: build"
    (WORKSHOP / "build.log").write_text(done.stderr, encoding="utf-8")
    return None if done.returncode == 0 else UNBUILT


def first_failure(tests: Path, programs: Path, *, likeliest: str | None) -> str | None:
    """Asks those tests first in whose name the word is, which is the file's: an instruction has tests that name it."""
    if tests.is_file():
        return failing_test([tests], programs)
    quick: list[str | Path] = [tests, f"--ignore={COSTS}", f"--ignore={PROPERTY}"]
    first = failing_test([*quick, "-k", likeliest], programs) if likeliest else None
    return first or failing_test(quick, programs) or failing_test([PROPERTY], programs)


def failing_test(chosen: Iterable[str | Path], programs: Path) -> str | None:
    own = {"VAULT_PROGRAMS_DIR": str(programs), "HYPOTHESIS_STORAGE_DIRECTORY": str(WORKSHOP / "hypothesis")}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", *chosen]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | own, capture_output=True, text=True, timeout=TEST_S_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        return "timeout: tests"
    if done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return None
    found = re.search(r"^(?:FAILED|ERROR) (?:tests/program/)?(.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if found is None:
        raise Broken(f"pytest says:\n{done.stdout}{done.stderr}")
    return found[1]


def report(results: list[Result], *, as_json: bool, complete: bool) -> int:
    """Exit code 1 if a mutant is alive and nobody has said why it may be, or the list of those is out of date."""
    equivalents: dict[str, str] = tomllib.loads(EQUIVALENTS.read_text(encoding="utf-8"))["equivalent"]
    alive = [result.name for result in results if result.caught_by is None and result.name not in equivalents]
    caught = {result.name for result in results if result.caught_by}
    stale = [name for name in equivalents if name in caught or (complete and name not in {r.name for r in results})]
    if as_json:
        print(
            json.dumps([asdict(result) | {"equivalent": equivalents.get(result.name)} for result in results], indent=1)
        )
    else:
        print_table(results, equivalents)
    for name in stale:
        say(f"{EQUIVALENTS.name} lists what is no living mutant: {name}")
    excused = len(results) - len(caught) - len(alive)
    unbuilt = sum(result.caught_by == UNBUILT for result in results)
    counts = f"{len(caught) - unbuilt} caught, {unbuilt} do not build, {excused} equivalent, {len(alive)} alive"
    say(f"{len(results)} mutants: {counts}")
    return 1 if alive or stale else 0


def print_table(results: list[Result], equivalents: dict[str, str]) -> None:
    print("| mutant | caught by |\n|---|---|")
    for result in sorted(results, key=lambda result: (result.source, result.line)):
        reason = equivalents.get(result.name)
        fate = result.caught_by or (f"equivalent: {reason}" if reason else "**ALIVE**")
        print(f"| {result.name.replace('|', chr(92) + '|')} | {fate} |")


def earlier(tests: Path) -> list[Result]:
    """The last of a name counts."""
    kept = results_file(tests)
    return (
        [Result(**json.loads(line)) for line in kept.read_text(encoding="utf-8").splitlines()] if kept.exists() else []
    )


def results_file(tests: Path) -> Path:
    """Other tests have other results."""
    return WORKSHOP / f"results-{tests.stem}.jsonl"


def digest(paths: Iterable[Path]) -> str:
    lines = [f"{digest}  {name}" for name, digest in sorted(artifacts.hashes(list(paths)).items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
