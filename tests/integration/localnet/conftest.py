"""A real node, new for each file of tests."""

from collections.abc import AsyncIterator, Iterator

import pytest

from localnet import client
from localnet.client import Client
from localnet.node import LocalNode


@pytest.fixture(scope="module")
def node() -> Iterator[LocalNode]:
    with LocalNode() as running:
        yield running


@pytest.fixture
async def rpc(node: LocalNode) -> AsyncIterator[Client]:
    async with client.connect(node.rpc_url) as connected:
        yield connected
