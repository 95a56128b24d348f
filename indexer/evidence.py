"""Stored transactions: shown as the node gave them, and decoded again."""

from collections.abc import Iterator

import msgspec
import zstandard

from eventstore.facts import Fact
from eventstore.port import IngestStore, StoredEvidence
from indexer.decode import Decoder
from indexer.errors import IndexerError
from indexer.transaction import Transaction, parse_transaction
from indexer.translate import Included, facts_of

BODY_BYTES_MAX = 64 * 2**20
PAGE = 200


class EvidenceDamaged(IndexerError):
    """What is stored as a transaction is none."""

    def __init__(self, signature: str, slot: int, reason: str) -> None:
        super().__init__(f"the evidence of {signature} in slot {slot} is damaged: {reason}; restore it from a back-up")


class SignatureUnknown(IndexerError):
    """The store has no evidence of it."""

    def __init__(self, signature: str) -> None:
        super().__init__(f"the store holds no transaction {signature[:100]!r}: a signature is 64 bytes in base58")


def body_of(evidence: StoredEvidence) -> bytes:
    """The JSON text of getTransaction's result. Raises EvidenceDamaged."""
    try:
        size = zstandard.get_frame_parameters(evidence.body).content_size
        if size > BODY_BYTES_MAX:
            raise EvidenceDamaged(evidence.signature, evidence.slot, f"it unpacks to more than {BODY_BYTES_MAX} bytes")
        return zstandard.ZstdDecompressor().decompress(evidence.body, max_output_size=BODY_BYTES_MAX)
    except zstandard.ZstdError as error:
        raise EvidenceDamaged(evidence.signature, evidence.slot, str(error)) from error


def decode_evidence(decoder: Decoder, evidence: StoredEvidence, body: bytes) -> list[Fact] | None:
    """Of its unpacked body. None where the decoder calls it incomplete.

    Raises EvidenceDamaged and TransactionInvalid.
    """
    transaction = parse_transaction(body)
    _check(evidence, transaction)
    decoded = decoder.decode(transaction)
    if decoded.incomplete is not None:
        return None
    return facts_of(
        decoded,
        Included(
            evidence.signature,
            evidence.slot,
            evidence.transaction_index,
            evidence.block_time,
            transaction.fee_payer,
        ),
    )


def _check(evidence: StoredEvidence, transaction: Transaction) -> None:
    said = (transaction.signature, transaction.slot)
    if said != (evidence.signature, evidence.slot):
        raise EvidenceDamaged(evidence.signature, evidence.slot, f"it is transaction {said[0]} of slot {said[1]}")


def all_evidence(
    store: IngestStore, from_slot: int = 0, through_slot: int | None = None
) -> Iterator[list[StoredEvidence]]:
    """By slot and signature, a page at a time, each of its own moment; `through_slot` included."""
    last: tuple[int, str] = (from_slot, "")
    while True:
        with store.snapshot() as snapshot:
            page = snapshot.evidence_after(*last, PAGE)
        within = [e for e in page if through_slot is None or e.slot <= through_slot]
        if within:
            yield within
        if len(within) < len(page) or not page:
            return
        last = (page[-1].slot, page[-1].signature)


def as_lines(store: IngestStore, signature: str) -> Iterator[str]:
    """A line for each slot in which the store has the transaction; `vault-indexer decode` takes them.

    Raises SignatureUnknown and EvidenceDamaged.
    """
    with store.snapshot() as snapshot:
        found = snapshot.evidence_of(signature)
    if not found:
        raise SignatureUnknown(signature)
    for one in found:
        shown = {
            "signature": one.signature,
            "slot": one.slot,
            "transactionIndex": one.transaction_index,
            "blockTime": one.block_time,
            "endpoint": one.endpoint,
            "recordedAtUs": one.recorded_at_us,
            "isSettled": one.is_settled,
            "result": msgspec.Raw(body_of(one)),
        }
        yield msgspec.json.encode(shown).decode()
