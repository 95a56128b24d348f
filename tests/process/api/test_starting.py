"""vault-api that cannot start: one line that says what is wrong and which setting changes it, and exit code 1."""

import os
import socket
import subprocess

import pytest

from tests.process.api.conftest import COMMAND, DEADLINE_S


def refused(environment: dict[str, str]) -> str:
    """The one line."""
    done = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("vault-api: ")
    return line


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused({**environment, "VAULT_API_PORT": str(port)})
    assert f"127.0.0.1:{port}" in line
    assert "VAULT_API_PORT" in line
    assert "in use" in line


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "..", "a" * 100])
def test_a_host_that_is_not_ours_is_named_with_the_setting_that_changes_it(
    environment: dict[str, str], host: str
) -> None:
    line = refused({**environment, "VAULT_API_HOST": host})
    assert host in line
    assert "VAULT_API_HOST" in line


def test_the_help_names_every_setting_with_its_default(environment: dict[str, str]) -> None:
    done = subprocess.run([COMMAND, "--help"], env=environment, capture_output=True, text=True, check=True)
    for name in ("READ_MODELS_URL (required)", "API_HOST (default 127.0.0.1)", "API_PORT (default 8000)"):
        assert f"VAULT_{name}" in done.stdout
    for name in ("API_READY_MAX_AGE_S", "LOG_LEVEL"):
        assert f"VAULT_{name} (default " in done.stdout


def test_a_missing_setting_names_itself() -> None:
    line = refused({k: v for k, v in os.environ.items() if not k.startswith("VAULT_")})
    assert "VAULT_READ_MODELS_URL" in line
    assert ".env.example" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VAULT_API_PORT", "65536"),
        ("VAULT_API_PORT", "-1"),
        ("VAULT_API_PORT", "http"),
        ("VAULT_API_READY_MAX_AGE_S", "0"),
        ("VAULT_API_READY_MAX_AGE_S", "nan"),
        ("VAULT_LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_out_of_bounds_names_itself(environment: dict[str, str], name: str, value: str) -> None:
    assert f"{name}: " in refused({**environment, name: value})


def test_all_wrong_settings_are_named_at_once(environment: dict[str, str]) -> None:
    line = refused({**environment, "VAULT_API_PORT": "x", "VAULT_LOG_LEVEL": "loud"})
    assert "VAULT_API_PORT" in line
    assert "VAULT_LOG_LEVEL" in line


@pytest.mark.parametrize("url", ["read-models", "mysql://host/db", "sqlite:///", "sqlite:///a?mode=ro"])
def test_a_url_that_names_no_read_models_is_refused(environment: dict[str, str], url: str) -> None:
    line = refused({**environment, "VAULT_READ_MODELS_URL": url})
    assert "VAULT_READ_MODELS_URL" in line
    assert "sqlite:///" in line
