"""A store is filled from one chain and one program: everything else is refused before a byte is written."""

from typing import Any

import pytest

from eventstore.errors import WrongChain, WrongProgram
from eventstore.facts import CoverageAdvanced
from eventstore.port import Evidence, IngestStore
from indexer.attach import attach
from indexer.errors import OtherChain, ProgramNotFound


@pytest.fixture
def filled(chain: Any, store: IngestStore, epoch: int) -> IngestStore:
    """Covered through slot 90, with a signature in slot 80."""
    chain.history = [(80, "s80")]
    store.record_page(epoch, store.next_walk(100), [], None, met_floor=True)
    store.append([], [Evidence("s80", 80, 0, 1_080, b"{}", "node", is_final=True)])
    store.append([CoverageAdvanced(through_slot=90, block_time=1_090, blockhash="hash-90")], epoch=epoch)
    return store


async def test_an_empty_store_is_bound_and_found_again(chain: Any, store: IngestStore) -> None:
    await attach(chain, store, "events.db", "program")
    await attach(chain, store, "events.db", "program")
    with pytest.raises(WrongProgram):
        await attach(chain, store, "events.db", "another program")
    chain.genesis = "another genesis"
    with pytest.raises(WrongChain):
        await attach(chain, store, "events.db", "program")


async def test_a_program_that_is_not_there_is_refused(chain: Any, store: IngestStore) -> None:
    chain.is_program = False
    with pytest.raises(ProgramNotFound, match="VAULT_PROGRAM_ID"):
        await attach(chain, store, "events.db", "program")
    assert store.binding() is None


async def test_the_chain_that_a_store_was_filled_from_is_accepted(chain: Any, filled: IngestStore) -> None:
    await attach(chain, filled, "events.db", "program")


async def test_a_younger_chain_of_the_same_genesis_is_refused(chain: Any, filled: IngestStore) -> None:
    chain.finalized = 60
    with pytest.raises(OtherChain, match="slot 60, below the covered slot 90"):
        await attach(chain, filled, "events.db", "program")


async def test_a_covered_slot_that_the_node_says_was_skipped_is_refused(chain: Any, filled: IngestStore) -> None:
    chain.skipped = {90}
    with pytest.raises(OtherChain, match="slot 90"):
        await attach(chain, filled, "events.db", "program")


async def test_another_block_time_at_the_covered_slot_is_refused_because_local_nodes_share_blockhashes(
    chain: Any, filled: IngestStore
) -> None:
    chain.block_age = 5
    with pytest.raises(OtherChain, match="slot 90"):
        await attach(chain, filled, "events.db", "program")


async def test_a_chain_that_does_not_know_a_covered_signature_is_refused(chain: Any, filled: IngestStore) -> None:
    chain.history = []
    with pytest.raises(OtherChain, match="s80"):
        await attach(chain, filled, "events.db", "program")


async def test_a_node_that_no_longer_keeps_the_covered_block_is_accepted(chain: Any, filled: IngestStore) -> None:
    chain.first_available, chain.hides = 95, {"s80"}
    await attach(chain, filled, "events.db", "program")
