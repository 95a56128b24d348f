"""One active indexer: whoever holds the lease writes, everybody else waits or stops."""

import subprocess
import sys
import time

import pytest

from eventstore.errors import LeaseHeld, LeaseLost
from eventstore.facts import CoverageAdvanced
from eventstore.port import IngestStore, Owed
from eventstore.store import EventStore
from tests.contract.eventstore.conftest import Opener

DEADLINE_S = 20
HOLD = (
    "import sys; from eventstore.open import open_ingest_store\n"
    "store = open_ingest_store(sys.argv[1]); print(store.acquire_lease('the child'), flush=True)\n"
    "sys.stdin.read()"
)


def wait_for_lease(store: IngestStore, holder: str) -> int:
    """As a standby does: it asks again until it is its turn."""
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            return store.acquire_lease(holder)
        except LeaseHeld:
            assert time.monotonic() < deadline_s
            time.sleep(0.005)


def test_a_second_indexer_is_refused_and_told_who_runs(store: IngestStore, open_store: Opener) -> None:
    store.acquire_lease("host one, process 7")
    other = open_store()
    with pytest.raises(LeaseHeld, match="host one, process 7"):
        other.acquire_lease("host two")
    assert other.progress() == store.progress(), "reading needs no lease"


def test_a_lease_ends_with_its_store_and_the_next_epoch_is_higher(open_store: Opener) -> None:
    first = open_store()
    epoch = first.acquire_lease("first")
    first.close()
    assert wait_for_lease(open_store(), "second") > epoch


def test_a_standby_gets_the_lease_when_its_holder_is_killed(store: IngestStore, url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        epoch_of_child = int(child.stdout.readline())
        with pytest.raises(LeaseHeld, match="the child"):
            store.acquire_lease("standby")
        child.kill()
        assert wait_for_lease(store, "standby") > epoch_of_child


def test_whoever_was_taken_over_can_write_nothing_that_needs_the_lease(
    store: IngestStore, epoch: int, open_store: Opener
) -> None:
    store.record_page(epoch, store.next_walk(5), [], None, met_floor=True)
    usurper = open_store()
    assert isinstance(store, EventStore)
    store.backend.release_lease()
    newer = usurper.acquire_lease("usurper")
    with pytest.raises(LeaseLost, match=f"epoch {epoch}"):
        store.record_page(epoch, store.next_walk(9), [Owed("s", 7, None)], None, met_floor=True)
    with pytest.raises(LeaseLost):
        store.append([CoverageAdvanced(through_slot=5, block_time=1, blockhash="hash")], epoch=epoch)
    assert (store.progress().owed, store.progress().coverage) == (0, -1)
    usurper.append([CoverageAdvanced(through_slot=5, block_time=1, blockhash="hash")], epoch=newer)
    assert store.progress().coverage == 5
