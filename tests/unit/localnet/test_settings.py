"""What a run is decided to be, before anything starts."""

import socket
from pathlib import Path

import pytest

from localnet import run_folder, settings
from localnet.errors import PortInUse
from localnet.settings import Settings


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run_folder, "ROOT", tmp_path)
    return tmp_path


def decide(port: int = 0) -> Settings:
    return settings.decide(rate=1, users=2, seed=0, port=port, duration_s=None, as_json=False, traffic=True)


def test_a_port_in_use_is_refused_by_the_names_of_its_settings_and_leaves_no_folder(runs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"port {port} on 127.0.0.1 is in use; .*--port or VAULT_API_PORT"):
            decide(port)
    assert list(runs.iterdir()) == []


def test_each_local_run_has_stores_of_its_own_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_EVENT_STORE_URL", "sqlite:///elsewhere.db")

    first, second = decide(), decide()

    urls = {run.environment["VAULT_EVENT_STORE_URL"] for run in (first, second)}
    assert urls == {f"sqlite:///{run.folder}/events.db" for run in (first, second)}
    assert first.ignored == ("VAULT_EVENT_STORE_URL",)


def test_against_a_cluster_the_settings_stay_as_given_and_nobody_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_RPC_URLS", "http://127.0.0.1:1")
    monkeypatch.setenv("VAULT_EVENT_STORE_URL", "sqlite:///elsewhere.db")

    run = decide()

    assert run.environment["VAULT_EVENT_STORE_URL"] == "sqlite:///elsewhere.db"
    assert run.cluster
    assert not run.traffic
    assert run.cluster_folder == run_folder.of_cluster(), "one of the two stores is there"


def test_an_empty_setting_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_RPC_URLS", "http://127.0.0.1:1")
    monkeypatch.setenv("VAULT_EVENT_STORE_URL", "")

    assert decide().environment["VAULT_EVENT_STORE_URL"] == f"sqlite:///{run_folder.of_cluster()}/events.db"
