"""What the indexer asks of a chain, and the chain as Solana nodes tell it over JSON-RPC."""

from typing import Annotated, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from indexer.errors import ChainUnavailable, RpcRefused
from indexer.rpc import RpcClient

B = TypeVar("B")
I64_MAX = 2**63 - 1
Slot = Annotated[int, msgspec.Meta(ge=0, le=I64_MAX)]
UnixSeconds = Annotated[int, msgspec.Meta(ge=-I64_MAX, le=I64_MAX)]
Commitment = Literal["confirmed", "finalized"]
SKIPPED_SLOT_CODES = {-32007, -32009}
"""agave rpc-client-api/custom_error.rs: SLOT_SKIPPED and LONG_TERM_STORAGE_SLOT_SKIPPED."""


class SignatureInfo(msgspec.Struct, frozen=True, rename="camel"):
    signature: str
    slot: Slot
    block_time: UnixSeconds | None = None


class Page(NamedTuple):
    signatures: list[SignatureInfo]
    """Newest first."""
    is_last: bool
    """It is empty, and the node has shown that it knows what it was asked to go on from."""


class Tip(NamedTuple):
    finalized_slot: int
    """Read before the page, from the same node: the page holds all that it has up to this slot and the page's end."""
    page: Page


class FetchedTransaction(NamedTuple):
    body: bytes
    """JSON text of getTransaction's result."""
    endpoint: str


class Block(NamedTuple):
    blockhash: str
    block_time: int
    """Unix seconds."""


class Chain(Protocol):
    """Every call raises ChainUnavailable when it may be tried again."""

    async def genesis_hash(self) -> str: ...

    async def slot(self, commitment: Commitment) -> int: ...

    async def first_available_slot(self) -> int:
        """The lowest slot whose block the node still has."""

    async def program_exists(self, program_id: str) -> bool: ...

    async def tip(self, address: str, limit: int) -> Tip:
        """The newest signatures that mention an address."""

    async def older(self, address: str, before: str, limit: int) -> Page:
        """The signatures that come before one."""

    async def transaction(self, signature: str) -> FetchedTransaction | None:
        """None while the node does not have it."""

    async def block_signatures(self, slot: int) -> list[str] | None:
        """In execution order; None where the slot was skipped."""

    async def finalized_block(self, slot: int) -> Block | None:
        """None where the slot was skipped. Raises RpcRefused where the node no longer has it."""

    async def slot_of(self, signature: str) -> int | None:
        """The slot in which the node knows a signature, however old."""


class _Status(msgspec.Struct):
    slot: Slot


class _Statuses(msgspec.Struct):
    value: Annotated[list[_Status | None], msgspec.Meta(min_length=1)]


class _Account(msgspec.Struct):
    executable: bool


class _AccountInfo(msgspec.Struct):
    value: _Account | None


class _Blockhash(msgspec.Struct):
    blockhash: str


class _BlockSignatures(msgspec.Struct):
    signatures: list[str]


_text = msgspec.json.Decoder(str)
_slot: "msgspec.json.Decoder[int]" = msgspec.json.Decoder(Slot)
_seconds: "msgspec.json.Decoder[int]" = msgspec.json.Decoder(UnixSeconds)
_any = msgspec.json.Decoder(msgspec.Raw)
_page = msgspec.json.Decoder(list[SignatureInfo])
_statuses = msgspec.json.Decoder(_Statuses)
_account = msgspec.json.Decoder(_AccountInfo)
_blockhash = msgspec.json.Decoder(_Blockhash)
_block_signatures = msgspec.json.Decoder(_BlockSignatures)


class RpcChain:
    """Implements Chain. Signatures and transactions are read at `commitment`."""

    def __init__(self, rpc: RpcClient, *, commitment: Commitment, max_transaction_version: int) -> None:
        self._rpc = rpc
        self._commitment = commitment
        self._max_transaction_version = max_transaction_version

    async def genesis_hash(self) -> str:
        return (await self._rpc.call("getGenesisHash", [], _text)).value

    async def slot(self, commitment: Commitment) -> int:
        return (await self._rpc.call("getSlot", [{"commitment": commitment}], _slot)).value

    async def first_available_slot(self) -> int:
        return (await self._rpc.call("getFirstAvailableBlock", [], _slot)).value

    async def program_exists(self, program_id: str) -> bool:
        params = [program_id, {"encoding": "base64", "dataSlice": {"offset": 0, "length": 0}}]
        account = (await self._rpc.call("getAccountInfo", params, _account)).value.value
        return account is not None and account.executable

    async def tip(self, address: str, limit: int) -> Tip:
        # Not by minContextSlot: a node took it for a filter and left out all older signatures (Surfpool 1.5).
        slot = await self._rpc.call("getSlot", [{"commitment": "finalized"}], _slot)
        options = {"commitment": self._commitment, "limit": limit}
        page = await self._rpc.call("getSignaturesForAddress", [address, options], _page, at=slot.index)
        return Tip(slot.value, Page(page.value, is_last=not page.value))

    async def older(self, address: str, before: str, limit: int) -> Page:
        options = {"commitment": self._commitment, "limit": limit, "before": before}
        reply = await self._rpc.call("getSignaturesForAddress", [address, options], _page)
        # A node that does not know `before` answers with an empty page as well: it has to show that it does.
        if not reply.value and await self._slot_of(before, at=reply.index) is None:
            raise ChainUnavailable("getSignaturesForAddress", [f"{reply.endpoint} does not know {before}"])
        return Page(reply.value, is_last=not reply.value)

    async def transaction(self, signature: str) -> FetchedTransaction | None:
        options = {
            "encoding": "json",
            "commitment": self._commitment,
            "maxSupportedTransactionVersion": self._max_transaction_version,
        }
        reply = await self._rpc.call("getTransaction", [signature, options], _any)
        return None if reply.raw == b"null" else FetchedTransaction(reply.raw, reply.endpoint)

    async def block_signatures(self, slot: int) -> list[str] | None:
        block = await self._get_block(slot, self._commitment, "signatures", _block_signatures)
        return block.signatures if block else None

    async def finalized_block(self, slot: int) -> Block | None:
        block = await self._get_block(slot, "finalized", "none", _blockhash)
        if block is None:
            return None
        # Not the block's own blockTime: some nodes give it in another unit there (Surfpool 1.5).
        block_time = (await self._rpc.call("getBlockTime", [slot], _seconds)).value
        return Block(block.blockhash, block_time)

    async def slot_of(self, signature: str) -> int | None:
        return await self._slot_of(signature, at=None)

    async def _slot_of(self, signature: str, *, at: int | None) -> int | None:
        params = [[signature], {"searchTransactionHistory": True}]
        status = (await self._rpc.call("getSignatureStatuses", params, _statuses, at=at)).value.value[0]
        return status.slot if status else None

    async def _get_block(
        self, slot: int, commitment: Commitment, details: str, decoder: "msgspec.json.Decoder[B]"
    ) -> B | None:
        options = {
            "commitment": commitment,
            "transactionDetails": details,
            "rewards": False,
            "maxSupportedTransactionVersion": self._max_transaction_version,
        }
        try:
            return (await self._rpc.call("getBlock", [slot, options], decoder)).value
        except RpcRefused as refused:
            if refused.code in SKIPPED_SLOT_CODES:
                return None
            raise
