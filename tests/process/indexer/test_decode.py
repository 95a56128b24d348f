"""`vault-indexer decode` as a command: from a file and from a pipe, to a file and to who stops reading."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.process.indexer.conftest import COMMAND, DEADLINE_S, IDL, PROGRAM, RECORDED

DECODE = ["decode", "--idl", str(IDL), "--program", PROGRAM]


def decode(*arguments: str, stdin: bytes = b"", stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[bytes]":
    done = subprocess.run(
        [COMMAND, *DECODE, *arguments],
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=DEADLINE_S,
    )
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    return done


@pytest.fixture(scope="module")
def rows() -> list[bytes]:
    """What the recorded transactions say."""
    done = decode(str(RECORDED))
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.splitlines()


def test_each_event_of_the_recorded_transactions_is_a_line(rows: list[bytes]) -> None:
    told = [json.loads(row) for row in rows]
    assert sum("name" in row for row in told) == 9
    assert sum("failed" in row for row in told) == 1
    assert {row["source"] for row in told if "name" in row} == {"cpi"}


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_standard_input_gives_what_the_file_gives(rows: list[bytes], arguments: tuple[str, ...]) -> None:
    done = decode(*arguments, stdin=RECORDED.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines() == rows


def test_a_bad_line_is_named_and_the_rest_is_decoded(rows: list[bytes]) -> None:
    lines = RECORDED.read_bytes().splitlines()
    done = decode(stdin=b"\n".join([lines[0], b"no JSON", *lines[1:], b"[" * 100_000]))
    assert done.returncode == 1
    assert done.stdout.splitlines() == rows
    first, second = done.stderr.decode().splitlines()
    assert first.startswith("line 2: ")
    assert second.startswith(f"line {len(lines) + 2}: ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("/nowhere.ndjson",), "/nowhere.ndjson"),
        (("/",), "Is a directory: '/'"),
        (("--idl", "/nowhere.json", "-"), "/nowhere.json: cannot be read"),
        (("--program", "vault", "-"), "'vault' is no program's address: give its 32 bytes in base58"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(arguments: tuple[str, ...], reason: str) -> None:
    done = decode(*arguments)
    (said,) = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (1, b"")
    assert said.startswith("vault-indexer: ")
    assert reason in said


def test_a_full_disk_is_said_in_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = decode(str(RECORDED), stdout=full.fileno())
    assert done.returncode == 1
    assert done.stderr.decode() == "vault-indexer: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("copies", [1, 500])
def test_it_ends_quietly_when_nobody_reads_on(tmp_path: Path, rows: list[bytes], copies: int) -> None:
    """500 are more than a pipe holds."""
    many = tmp_path / "many.ndjson"
    many.write_bytes(RECORDED.read_bytes() * copies)
    piped = subprocess.run(
        ["bash", "-c", 'exec 2>&1; { "$@" 2>&3; } 3>"$ERRORS" | head -1', "bash", COMMAND, *DECODE, str(many)],
        env={"PATH": "/usr/bin:/bin", "ERRORS": str(tmp_path / "errors")},
        stdout=subprocess.PIPE,
        check=True,
        timeout=DEADLINE_S,
    )
    assert piped.stdout.splitlines() == rows[:1]
    assert (tmp_path / "errors").read_bytes() == b""
