"""The part of a getTransaction result that matters here: encoding `json` or `jsonParsed`, any version."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from indexer.errors import IndexerError

NO_ERROR = Raw(b"null")
I64_MAX = 2**63 - 1
Natural = Annotated[int, Meta(ge=0, le=I64_MAX)]
UnixSeconds = Annotated[int, Meta(ge=-I64_MAX, le=I64_MAX)]


class TransactionInvalid(IndexerError):
    """The text is not a getTransaction result: ask for encoding `json` or `jsonParsed`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a getTransaction result of encoding json or jsonParsed: {reason}")


class Instruction(Struct, frozen=True, gc=False, rename="camel"):
    """One of the two is given, by encoding."""

    program_id_index: Natural | None = None
    program_id: str | None = None


class InnerInstruction(Struct, frozen=True, gc=False, rename="camel"):
    program_id_index: Natural | None = None
    program_id: str | None = None
    accounts: list[int | str] = []
    """Indexes into the account keys, or, parsed, the addresses."""
    data: str = ""
    """Base58. Not given for a program that the node knows to parse, which then is none of ours."""
    stack_height: int | None = None
    """2 for what the message's instruction called itself. Older nodes do not say."""


class InnerInstructions(Struct, frozen=True, gc=False):
    index: Natural
    instructions: list[InnerInstruction]


class LoadedAddresses(Struct, frozen=True, gc=False):
    writable: list[str] = []
    readonly: list[str] = []


class TransactionMeta(Struct, frozen=True, gc=False, rename="camel"):
    err: Raw
    """JSON as it came: a kind of error that is not known here must not stop us."""
    log_messages: list[str] | None = None
    inner_instructions: list[InnerInstructions] | None = None
    loaded_addresses: LoadedAddresses | None = None

    @property
    def failed(self) -> bool:
        return self.err != NO_ERROR


class AccountKey(Struct, frozen=True, gc=False):
    pubkey: str


class Message(Struct, frozen=True, gc=False, rename="camel"):
    account_keys: Annotated[list[str | AccountKey], Meta(min_length=1)]
    """Texts, or, parsed, objects; those then include the loaded addresses."""
    instructions: list[Instruction]


class SignedMessage(Struct, frozen=True, gc=False):
    signatures: Annotated[list[str], Meta(min_length=1)]
    message: Message


class Executed(Struct, frozen=True, gc=False):
    """What a transaction did, wherever it landed."""

    meta: TransactionMeta | None
    """Null where the node has not kept it: nothing can be said of such a transaction, not even that it succeeded."""
    transaction: SignedMessage

    @property
    def signature(self) -> str:
        return self.transaction.signatures[0]

    @property
    def fee_payer(self) -> str:
        first = self.transaction.message.account_keys[0]
        return first if isinstance(first, str) else first.pubkey


class Transaction(Executed, frozen=True, kw_only=True, gc=False, rename="camel"):
    slot: Natural
    block_time: UnixSeconds | None = None
    """Unix seconds."""
    version: int | str | None = None
    transaction_index: Natural | None = None
    """Place in the block; older nodes do not say."""


_transaction = msgspec.json.Decoder(Transaction).decode


def parse_transaction(raw: bytes) -> Transaction:
    """Of the bare result, without the JSON-RPC envelope."""
    try:
        return _transaction(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TransactionInvalid(str(error)) from error


def quality_of(transaction: Transaction) -> int:
    """Of what completes evidence, how much the node gave."""
    meta = transaction.meta
    given = (transaction.transaction_index, meta and meta.log_messages, meta and meta.inner_instructions)
    return sum(part is not None for part in given)
