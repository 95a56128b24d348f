"""The other decoders, for a whole run. Where one cannot be had, its tests are skipped with the reason."""

from collections.abc import Callable, Iterator

import pytest

from localnet import node_runtime
from localnet.errors import LocalnetError
from tests.conformance.peers import SINCE_0_30, UP_TO_0_29, CannotInstall, Peer, anchor, anchorpy


def started(start: Callable[[], Peer]) -> Iterator[Peer]:
    try:
        peer = start()
    except (CannotInstall, LocalnetError) as error:
        pytest.skip(str(error))
    with peer:
        yield peer


@pytest.fixture(scope="session")
def anchor_since_0_30() -> Iterator[Peer]:
    yield from started(lambda: anchor(node_runtime.find(), SINCE_0_30))


@pytest.fixture(scope="session")
def anchor_up_to_0_29() -> Iterator[Peer]:
    yield from started(lambda: anchor(node_runtime.find(), UP_TO_0_29))


@pytest.fixture(scope="session")
def anchorpy_peer() -> Iterator[Peer]:
    yield from started(anchorpy)
