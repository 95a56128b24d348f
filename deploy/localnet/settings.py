"""What one run is to be: from the command line and the environment, decided before anything starts."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localnet import programs, run_folder
from localnet.errors import LocalnetError, PortInUse

IN_LOCAL_RUNS_OURS = ("VAULT_EVENT_STORE_URL", "VAULT_READ_MODELS_URL", "VAULT_WS_URL", "VAULT_PROGRAM_ID", "VAULT_IDL")


@dataclass(frozen=True, kw_only=True)
class Settings:
    rate: float
    """Transactions a second."""
    users: int
    seed: int
    duration_s: float | None
    """None: until told to stop."""
    as_json: bool
    traffic: bool
    cluster: bool
    """An existing cluster, named by VAULT_RPC_URLS, instead of a local node."""
    api_host: str
    api_port: int
    folder: Path
    """Logs, and for a local node the data too."""
    cluster_folder: Path | None
    """Data of a cluster, which later runs go on with; None where the stores are elsewhere."""
    environment: Mapping[str, str]
    """For the processes; without a local node's addresses, which nobody knows yet."""
    ignored: tuple[str, ...]
    """Settings that were given but make no sense with a local node."""

    @property
    def api_url(self) -> str:
        host = "127.0.0.1" if self.api_host in ("0.0.0.0", "::") else self.api_host
        return f"http://{host}:{self.api_port}"


def decide(
    *, rate: float, users: int, seed: int, port: int, duration_s: float | None, as_json: bool, traffic: bool
) -> Settings:
    given = {name: value for name, value in os.environ.items() if value}  # an empty one is one that is not set
    cluster = bool(given.get("VAULT_RPC_URLS"))
    host = given.get("VAULT_API_HOST") or "127.0.0.1"
    api_port = _free_port(host, port)
    folder = run_folder.create(run_folder.ROOT)
    run_folder.hold(folder)
    ours = {"VAULT_API_HOST": host, "VAULT_API_PORT": str(api_port)}
    stores = _stores(run_folder.of_cluster() if cluster else folder)
    if cluster:
        environment = stores | given | ours
    else:
        idl = {"VAULT_IDL": str(programs.folder() / "vault_manager.json")}
        environment = given | stores | idl | {"VAULT_PROGRAM_ID": str(programs.vault_manager().address)} | ours
    return Settings(
        rate=rate,
        users=users,
        seed=seed,
        duration_s=duration_s,
        as_json=as_json,
        traffic=traffic and not cluster,
        cluster=cluster,
        api_host=host,
        api_port=api_port,
        folder=folder,
        cluster_folder=run_folder.of_cluster() if cluster and not _has_stores(given) else None,
        environment=environment,
        ignored=() if cluster else tuple(name for name in IN_LOCAL_RUNS_OURS if given.get(name)),
    )


def _has_stores(given: Mapping[str, str]) -> bool:
    return "VAULT_EVENT_STORE_URL" in given and "VAULT_READ_MODELS_URL" in given


def _stores(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "VAULT_EVENT_STORE_URL": f"sqlite:///{folder / 'events.db'}",
        "VAULT_READ_MODELS_URL": f"sqlite:///{folder / 'read-models'}",
    }


def _free_port(host: str, port: int) -> int:
    """`port` itself, or any for 0."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise LocalnetError(f"VAULT_API_HOST is {host}, which is no address of this machine: {error}") from error
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise PortInUse(host, port) from error
        return int(listener.getsockname()[1])
