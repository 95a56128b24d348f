"""Makes sure that the node, the program and the store belong together, before anything is written."""

import structlog

from eventstore.facts import CoverageAdvanced
from eventstore.port import Binding, IngestStore
from indexer.chain import Chain
from indexer.errors import ChainUnavailable, NodeBehind, OtherChain, ProgramNotFound, RpcRefused

log = structlog.get_logger()


async def attach(chain: Chain, store: IngestStore, where: str, program_id: str) -> None:
    """Binds the store to the node's chain and the program, or raises what keeps them apart.

    Local chains share a genesis hash and even their blockhashes, so the last covered block (hash and time) and the
    newest finalised signature have to be the node's as well.
    """
    genesis_hash = await chain.genesis_hash()
    if not (await chain.account(program_id)).is_program:
        raise ProgramNotFound(program_id, "is no program on this cluster")
    store.bind(Binding(genesis_hash, program_id))
    await _check_what_is_stored(chain, store, where)


async def compare(chain: Chain, store: IngestStore, where: str) -> None:
    """Raises WrongChain, OtherChain or NodeBehind where a bound store was not filled from the node's chain."""
    bound = store.binding()
    if bound is not None:
        store.bind(bound._replace(genesis_hash=await chain.genesis_hash()))
        await _check_what_is_stored(chain, store, where)


async def _check_what_is_stored(chain: Chain, store: IngestStore, where: str) -> None:
    last = store.last_coverage()
    if last is not None and isinstance(last.fact, CoverageAdvanced):
        await _check_coverage(chain, where, last.fact)
    await _check_signature(chain, store, where)


async def _check_coverage(chain: Chain, where: str, covered: CoverageAdvanced) -> None:
    head = await chain.slot("finalized")
    if head < covered.through_slot:
        raise NodeBehind(where, f"its finalised head is slot {head}, below the covered slot {covered.through_slot}")
    try:
        block = await chain.finalized_block(covered.through_slot)
    except RpcRefused as refused:
        log.warning("covered_block_not_kept", slot=covered.through_slot, reason=str(refused))
        return
    if block is None:  # skipped, or lost with a snapshot: the node's answers to both are one
        raise NodeBehind(where, f"it has no block in the covered slot {covered.through_slot}")
    if block.blockhash != covered.blockhash or block.block_time not in (None, covered.block_time):
        raise OtherChain(where, f"slot {covered.through_slot} was {covered}, the node says {block}")
    if block.block_time is None:
        raise ChainUnavailable("getBlockTime", [f"slot {covered.through_slot} has no time"])


async def _check_signature(chain: Chain, store: IngestStore, where: str) -> None:
    """Before the first coverage as well: where the next walk would end, all was final when it was found."""
    sample = store.sample_inclusion(store.next_walk(-1).floor, settled=True)
    if sample is None:
        return
    (status,) = await chain.statuses([sample.signature])
    if status is None and sample.slot >= await chain.first_available_slot():
        raise NodeBehind(where, f"it does not know signature {sample.signature} of slot {sample.slot}")
    if status is not None and status.slot != sample.slot:
        what = f"signature {sample.signature} is in slot {status.slot}, was in {sample.slot}"
        raise OtherChain(where, what) if status.is_final else NodeBehind(where, what)
