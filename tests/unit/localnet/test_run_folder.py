"""A folder for each run."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from localnet import run_folder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_two_runs_within_a_second_get_two_folders(tmp_path: Path) -> None:
    assert [run_folder.create(tmp_path, NOW).name for _ in range(2)] == ["20260102-030405", "20260102-030405-2"]


def test_the_last_few_are_kept_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name in ("cluster", "notes"):
        (tmp_path / name).mkdir()

    created = [run_folder.create(tmp_path, NOW + timedelta(seconds=second)) for second in range(8)]

    expected = {"cluster", "notes", *(path.name for path in created[-run_folder.KEPT :])}
    assert {path.name for path in tmp_path.iterdir()} == expected


def test_the_folder_of_a_run_that_is_still_running_is_never_removed(tmp_path: Path) -> None:
    first = run_folder.create(tmp_path, NOW)
    held = run_folder.hold(first)
    for second in range(1, 8):
        run_folder.create(tmp_path, NOW + timedelta(seconds=second))
    assert first.exists()
    os.close(held)
    run_folder.create(tmp_path, NOW + timedelta(seconds=9))
    assert not first.exists()
