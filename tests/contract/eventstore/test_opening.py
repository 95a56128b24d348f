"""Opening, binding and leasing a store: one chain, one program, one indexer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from eventstore.errors import (
    EventStoreError,
    LeaseHeld,
    StoreMissing,
    StoreUrlInvalid,
    WrongChain,
    WrongProgram,
)
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import Binding, IngestStore


def test_a_reader_says_that_there_is_no_store_yet(url: str) -> None:
    with pytest.raises(StoreMissing, match="start the indexer first"):
        open_fact_reader(url)


def test_a_reader_sees_what_the_indexer_bound(store: IngestStore, url: str) -> None:
    reader = open_fact_reader(url)
    assert reader.binding() == Binding("genesis", "program")
    reader.close()


def test_a_bound_store_refuses_another_chain_and_another_program(store: IngestStore) -> None:
    store.bind(Binding("genesis", "program"))
    with pytest.raises(WrongChain, match="genesis, the node says another-genesis"):
        store.bind(Binding("another-genesis", "program"))
    with pytest.raises(WrongProgram, match="another-program"):
        store.bind(Binding("genesis", "another-program"))


def test_a_second_indexer_is_refused_and_told_who_runs(store: IngestStore, url: str) -> None:
    store.acquire_lease("host one, process 7")
    other = open_ingest_store(url)
    with pytest.raises(LeaseHeld, match="host one, process 7"):
        other.acquire_lease("host two")
    other.close()


def test_a_lease_is_free_again_when_its_holder_was_killed_and_epochs_rise(store: IngestStore, url: str) -> None:
    code = (
        "import os, signal, sys; from eventstore.open import open_ingest_store\n"
        "store = open_ingest_store(sys.argv[1]); print(store.acquire_lease('child'), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    child = subprocess.run([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True, check=False)
    assert store.acquire_lease("parent") > int(child.stdout)


@pytest.mark.parametrize(
    "bad", ["", "events.db", "mysql://x/y", "sqlite:///", "sqlite:////tmp/", "sqlite:///a?mode=ro"]
)
def test_a_url_that_names_no_store_is_refused(bad: str) -> None:
    with pytest.raises(StoreUrlInvalid, match="VAULT_EVENT_STORE_URL"):
        open_ingest_store(bad)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    was_root = os.geteuid() == 0
    if was_root:
        tmp_path.chmod(0o755)
        os.seteuid(65534)
    try:
        with pytest.raises(EventStoreError, match="locked"):
            open_ingest_store(f"sqlite:///{folder}/events.db")
        with pytest.raises(EventStoreError, match="locked"):
            open_ingest_store(f"sqlite:///{folder}/deeper/events.db")
    finally:
        if was_root:
            os.seteuid(0)
