"""The store's hash chain, carried on by the projection that has every fact in it."""

from collections.abc import Sequence

from msgspec import structs

from eventstore.errors import FactUnreadable
from eventstore.hash_chain import Head
from eventstore.port import FactReader, StoredFact
from projections.store import Checkpoint, Row


def chained(
    facts: FactReader, batch: Sequence[StoredFact], rows: Sequence[Row], held: Checkpoint, new: Checkpoint
) -> tuple[list[Row], Checkpoint]:
    """Rows of one fact each, with the hash at its position; the checkpoint, with that at its own.

    Raises FactUnreadable where the store does not give the same facts twice.
    """
    head, hashes = head_of(held), dict[int, str]()
    with facts.snapshot() as snapshot:
        read = snapshot.bytes_after(held.position, len(batch))
    for stored, fact in zip(batch, read, strict=False):
        if stored.position != fact.position:
            break
        head = head.after(fact)
        hashes[fact.position] = head.hash.hex()
    if len(hashes) < len(batch):
        raise FactUnreadable("the event store", batch[len(hashes)].position, "it was not there when it was read again")
    with_hashes = [
        row._replace(document=structs.replace(row.document, hash=hashes[row.document.recorded_position]))
        for row in rows
    ]
    return with_hashes, structs.replace(new, chain_hash=head.hash.hex())


def head_of(checkpoint: Checkpoint) -> Head:
    """Of a projection that is chained."""
    if checkpoint.chain_hash is None:
        return Head()
    return Head(checkpoint.position, bytes.fromhex(checkpoint.chain_hash))
