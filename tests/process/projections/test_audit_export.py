"""Who did what, written out for auditors, with the head of the hash chain that an export is verified with."""

import csv
import io
import json
from pathlib import Path

from eventstore.export import write_export
from eventstore.facts import CoverageAdvanced
from eventstore.port import Binding, IngestStore
from tests.process.projections.conftest import Projector, refused, wait_until
from tests.process.projections.test_kills import wait_until_following
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history

FACTS = random_history(steps=100, vaults=3)


def test_the_audit_log_is_written_in_the_order_in_which_it_was_stored(
    projector: Projector, events: IngestStore
) -> None:
    append(events, [*FACTS, CoverageAdvanced(through_slot=10**6, block_time=None, blockhash=None)])
    projector.json("rebuild")
    done = projector.run("audit", "export")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    stored = [s for s in events.read_after(0, 1_000) if not isinstance(s.fact, CoverageAdvanced)]
    assert [row["position"] for row in rows] == [s.position for s in stored]
    assert (rows[-1]["source"], rows[-1]["action"]) == ("operator", "rebuild")
    head = f"{events.last_position()}:{rows[-1]['hash']}"
    assert done.stderr == f"through position {events.last_position()}, head {head}\n"
    statuses = {status["projection"]: status for status in projector.json("status")}
    assert statuses["audit_logs"]["head"] == head
    assert statuses["vaults"]["head"] is None
    assert f"head {head}" in projector.run("status").stdout

    some = projector.run("audit", "export", "--after-position", str(rows[50]["position"]), "--format", "csv")
    table = list(csv.DictReader(io.StringIO(some.stdout)))
    assert [int(row["position"]) for row in table] == [row["position"] for row in rows[51:]]
    assert table[0].keys() == rows[0].keys()
    assert "choose from ndjson, csv" in refused(projector.run("audit", "export", "--format", "xml"))


def test_the_head_that_a_projector_logs_verifies_an_export(
    projector: Projector, events: IngestStore, tmp_path: Path
) -> None:
    events.bind(Binding("genesis", "program"))
    append(events, FACTS)
    assert "audit_logs has no generation yet" in refused_without_generation(projector)
    process = projector.start("run")
    wait_until_following(process)
    last = events.last_position()
    wait_until(lambda: projector.position("audit_logs") == last, "the audit log follows")
    process.terminate()
    _, said = process.communicate()
    heads = [json.loads(line)["head"] for line in said.splitlines() if '"hash_chain"' in line]
    file = tmp_path / "export.ndjson"
    with file.open("wb") as out:
        write_export(events, out)
    done = projector.run("audit", "verify", str(file), "--head", heads[-1])
    assert done.returncode == 0, done.stdout
    assert heads[-1].startswith(f"{events.last_position()}:")


def refused_without_generation(projector: Projector) -> str:
    projector.json("rebuild", "--projection", "vaults")
    return refused(projector.run("audit", "export"))
