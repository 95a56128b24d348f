"""The real indexer as a process beside a benchmark, on a store of its own."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from localnet.service import Service

COMMAND = str(Path(sys.executable).with_name("vault-indexer"))
START_TIMEOUT_S = 30.0


def store_url(folder: Path) -> str:
    return f"sqlite:///{folder}/events.db"


@asynccontextmanager
async def indexer(folder: Path, rpc_url: str, **settings: str) -> AsyncIterator[Service]:
    """From its start to its end; settings without VAULT_. `folder` is there."""
    given = {"EVENT_STORE_URL": store_url(folder), "RPC_URLS": rpc_url, **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
    environment |= {f"VAULT_{name}": value for name, value in given.items()}
    service = Service([COMMAND, "run"], environment, folder / "indexer.log")
    await service.start()
    try:
        await service.wait_until_logged("started", START_TIMEOUT_S)
        yield service
        service.check()
    finally:
        await service.stop()
