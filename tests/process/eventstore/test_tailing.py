"""A reader that follows the store misses nothing while several processes write."""

import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from eventstore.facts import Deposited
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import FactReader, StoredFact

WRITER = Path(__file__).with_name("append_until_told.py")
WRITERS = 3
WRITING_S = 2.0
DEADLINE_S = 60.0


def test_three_processes_write_and_a_reader_that_follows_sees_each_fact_once_in_order(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    open_ingest_store(url).close()
    reader = open_fact_reader(url)
    with ExitStack() as running:
        writers = [running.enter_context(start(url, f"writer{number}")) for number in range(WRITERS)]
        followed = follow(reader, writers)
        written = [count(writer) for writer in writers]
    while rest := reader.read_after(followed[-1].position, 1_000):
        followed += rest
    reader.close()

    signatures = [signature(stored) for stored in followed]
    expected = {f"writer{number}-{slot}" for number in range(WRITERS) for slot in range(written[number])}
    missed = expected - set(signatures)
    with capsys.disabled():
        counts = f"{written} facts written, {len(followed)} followed, {len(missed)} missed"
        sys.stdout.write(f"\n{url.partition(':')[0]}, {WRITERS} writers: {counts}\n")
    assert not missed
    assert len(signatures) == len(expected)
    for before, after in pairwise(followed):
        assert before.position < after.position
        assert before.recorded_at_us <= after.recorded_at_us


def follow(reader: FactReader, writers: list[subprocess.Popen[str]]) -> list[StoredFact]:
    """Until the writers have ended, who are told to when all of them have written for a while."""
    followed: list[StoredFact] = []
    seen: set[str] = set()
    began_s = time.monotonic()
    writing_since_s: float | None = None
    while any(writer.poll() is None for writer in writers):
        now_s = time.monotonic()
        assert now_s - began_s < DEADLINE_S
        page = reader.read_after(followed[-1].position if followed else 0, 1_000)
        followed += page
        seen |= {signature(stored).partition("-")[0] for stored in page}
        if writing_since_s is None and len(seen) == WRITERS:
            writing_since_s = now_s
        if writing_since_s is not None and now_s - writing_since_s > WRITING_S:
            for writer in writers:
                assert writer.stdin is not None
                writer.stdin.close()
    return followed


def signature(stored: StoredFact) -> str:
    assert isinstance(stored.fact, Deposited)
    return stored.fact.signature


def start(url: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), url, name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def count(writer: subprocess.Popen[str]) -> int:
    assert writer.stdout is not None
    assert writer.returncode == 0
    return int(writer.stdout.read())
