"""An export is checked by a command that needs nothing but the file and what was published."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from eventstore.export import write_export
from eventstore.facts import OperatorActed
from eventstore.open import open_ingest_store
from eventstore.port import Binding
from tests.process.projections.conftest import Projector


@pytest.fixture
def export(tmp_path: Path) -> Path:
    file = tmp_path / "export.ndjson"
    with closing(open_ingest_store(f"sqlite:///{tmp_path}/made.db")) as store, file.open("wb") as out:
        store.bind(Binding("genesis", "program"))
        for number in range(5):
            acted = OperatorActed(operator="me", action="pause", subject="all", reason=None, acted_at_us=number)
            store.append([acted])
        write_export(store, out)
    return file


def head_of(export: Path) -> str:
    return str(json.loads(export.read_text().splitlines()[-1])["head"])


def test_an_export_that_is_as_it_was_published_passes(projector: Projector, export: Path) -> None:
    settings: dict[str, str | None] = {"VAULT_EVENT_STORE_URL": None, "VAULT_READ_MODELS_URL": None}
    done = projector.run("audit", "verify", str(export), "--head", head_of(export), settings=settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"5 facts and 0 transactions, head {head_of(export)}: it is what was published\n"


def test_a_fact_that_was_changed_is_named(projector: Projector, export: Path) -> None:
    published = head_of(export)
    lines = export.read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace('"recordedAtUs":', '"recordedAtUs":1')
    export.write_text("".join(lines))
    done = projector.run("audit", "verify", str(export), "--head", published)
    assert done.returncode == 1
    assert "position 3: changed: it is not what was hashed\n" in done.stdout
    assert "it is not what was published" in done.stdout
    told = json.loads(projector.run("audit", "verify", str(export), "--head", published, "--json").stdout)
    assert [finding["position"] for finding in told["findings"]] == [3, 5]


def test_what_is_no_export_or_no_head_is_refused_in_one_line(projector: Projector, export: Path) -> None:
    for arguments, reason in [
        ((str(export), "--head", "x"), "is no head of a hash chain"),
        ((str(export.with_name("made.db")), "--head", head_of(export)), "is no line of an export"),
        ((str(export.with_name("none")), "--head", head_of(export)), "No such file"),
    ]:
        done = projector.run("audit", "verify", *arguments)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert reason in done.stderr
