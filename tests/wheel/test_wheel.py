"""The wheel that `make wheel` built, used as a wheel: not the checkout's files by accident."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "recorded" / "transactions.ndjson"
PROGRAM = "CVxtopwzPR1UqUTjThq2UqFvfYFxmDsCHpgD6FjcjyGk"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content alone; its dependencies come from the environment."""
    (wheel,) = (ROOT / "dist").glob("*.whl")
    target = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", "--quiet", "--offline", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True)
    return target


def run(installed: Path, code: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("package", ["eventstore", "indexer", "projections", "api"])
def test_every_package_comes_from_the_wheel(installed: Path, package: str, tmp_path: Path) -> None:
    done = run(installed, f"import {package}; print({package}.__file__)", tmp_path)
    assert done.stdout.startswith(str(installed)), done.stdout + done.stderr


def test_nothing_but_the_four_packages_is_in_it(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names - {"bin", ".lock"} == {"eventstore", "indexer", "projections", "api"}


@pytest.mark.parametrize("module", ["indexer", "projections", "api"])
def test_every_command_of_the_wheel_explains_itself(installed: Path, module: str, tmp_path: Path) -> None:
    code = f"import sys; sys.argv = ['vault', '--help']; from {module}.__main__ import main; main()"
    done = run(installed, code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "VAULT_" in done.stdout


def test_the_wheel_decodes_with_the_idl_that_it_brings(installed: Path, tmp_path: Path) -> None:
    idl = installed / "indexer" / "vault_manager.json"
    assert not idl.is_symlink()
    arguments = ["vault-indexer", "decode", "--idl", str(idl), "--program", PROGRAM, str(RECORDED)]
    done = run(installed, f"import sys; sys.argv = {arguments!r}; from indexer.__main__ import main; main()", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"source":"cpi"') == 9
    assert done.stdout.count('"failed"') == 1
