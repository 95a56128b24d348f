#!/usr/bin/env python3
"""Checks and rebuilds the committed programs, those of the tests too, their IDLs and the hashes of their sources."""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = ROOT / "programs" / "artifacts"
CRATES = ("programs/vault-manager", "programs/position-manager")
# Called by tests only; their `.so` stands in their folder.
TEST_CRATES = ("tests/program/multisig", "tests/program/relay")
HASHES = "SOURCES.sha256"
# The bytes of a program depend on the folder that it is built in, so all builds are made in this one.
WORKSHOP = Path("/tmp/collateral-vault-sbf")
REMEDY = "run `programs/artifacts.py build` and commit programs/artifacts/"


def main() -> int:
    options = parse()
    try:
        if options.verb == "check":
            return check()
        return build(options.out.resolve())
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"artifacts: {error}", file=sys.stderr)
        return 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check", help="compare sources and artifacts with the committed hashes; exit 1 if they differ")
    building = verbs.add_parser("build", help="build both programs and their IDLs with the builder named by SBF")
    building.add_argument("--out", type=Path, default=COMMITTED, metavar="DIR", help="default: programs/artifacts")
    return parser.parse_args()


def check() -> int:
    """Every source and artifact has the hash it had when the artifacts were made, and none came or went."""
    recorded = read_hashes()
    actual = hashes([*sources(), *artifacts()])
    differing = sorted(name for name in recorded.keys() | actual.keys() if recorded.get(name) != actual.get(name))
    if not differing:
        print(f"artifacts: {len(actual)} files are as recorded")
        return 0
    for name in differing:
        print(f"artifacts: {name} {difference(recorded.get(name), actual.get(name))}", file=sys.stderr)
    print(f"artifacts: the committed programs are not made from these sources; {REMEDY}", file=sys.stderr)
    return 1


def difference(recorded: str | None, actual: str | None) -> str:
    if recorded is None:
        return "is new"
    if actual is None:
        return "is missing"
    return f"has SHA-256 {actual[:12]}…, recorded is {recorded[:12]}…"


def build(out: Path) -> int:
    """Where `out` is the committed folder, the hashes are recorded too."""
    builder = find_builder()
    if builder is None:
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with workshop() as copy:
        recorded = hashes(sources())
        for crate in CRATES:
            make(builder, copy / crate, out / library(crate))
        if out == COMMITTED:
            for crate in TEST_CRATES:
                make_program(builder, copy / crate, ROOT / crate / f"{library(crate)}.so")
    if out == COMMITTED:
        lines = [f"{digest}  {name}\n" for name, digest in sorted((recorded | hashes(artifacts())).items())]
        (out / HASHES).write_text("".join(lines), encoding="utf-8")
    return 0


def find_builder() -> Path | None:
    builder = Path(os.environ.get("SBF") or ROOT.parent / "shared" / "sbf" / "sbf").resolve()
    if builder.is_file() and os.access(builder, os.X_OK):
        return builder
    print(f"artifacts: no builder at {builder}; set SBF to one, or use `anchor build`", file=sys.stderr)
    return None


@contextmanager
def workshop() -> Iterator[Path]:
    """A fresh copy of the sources at the fixed path, ours alone while we build."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    with (WORKSHOP / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        copy = WORKSHOP / "src"
        shutil.rmtree(copy, ignore_errors=True)
        for source in sources():
            target = copy / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        yield copy


def make(builder: Path, crate: Path, target: Path) -> None:
    """`target` has no suffix; `.so` and `.json` are made."""
    make_program(builder, crate, target.with_suffix(".so"))
    idl = target.with_suffix(".json")
    subprocess.run([builder, "idl", crate, idl], check=True)
    idl.write_text(idl.read_text(encoding="utf-8").rstrip() + "\n", encoding="utf-8")


def make_program(builder: Path, crate: Path, target: Path) -> None:
    subprocess.run([builder, "build", crate, target], check=True)


def library(crate: str) -> str:
    """As Cargo names what is built of the crate."""
    return Path(crate).name.replace("-", "_")


def sources() -> list[Path]:
    found = [ROOT / "Cargo.toml", ROOT / "Cargo.lock"]
    for crate in (*CRATES, *TEST_CRATES):
        folder = ROOT / crate
        found += [folder / "Cargo.toml", *folder.rglob("*.rs")]
    return found


def artifacts() -> list[Path]:
    for_tests = [ROOT / crate / f"{library(crate)}.so" for crate in TEST_CRATES]
    found = [*COMMITTED.iterdir(), *for_tests]
    return [path for path in found if path.name != HASHES and path.exists()]


def hashes(paths: list[Path]) -> dict[str, str]:
    """SHA-256 by path relative to the repository's root."""
    return {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def read_hashes() -> dict[str, str]:
    """The format is that of sha256sum, whose `-c` reads it as well."""
    recorded = COMMITTED / HASHES
    if not recorded.exists():
        return {}
    pairs = (line.split("  ", 1) for line in recorded.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in pairs}


if __name__ == "__main__":
    sys.exit(main())
