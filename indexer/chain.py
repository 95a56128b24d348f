"""What the indexer asks of a chain, and the chain as Solana nodes tell it over JSON-RPC."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from indexer.errors import ChainUnavailable, CursorUnknown, RpcRefused
from indexer.rpc import RpcClient

B = TypeVar("B")
I64_MAX = 2**63 - 1
Slot = Annotated[int, msgspec.Meta(ge=0, le=I64_MAX)]
UnixSeconds = Annotated[int, msgspec.Meta(ge=-I64_MAX, le=I64_MAX)]
Commitment = Literal["confirmed", "finalized"]
SKIPPED_SLOTS_MAX = 64
"""So many skipped slots in a row are looked over for a block that follows them, or comes before."""
CONFIRMED_AHEAD = 31
"""A node's confirmed slot is so far ahead of its finalised one, or further: it takes so many votes on top (agave
programs/vote: MAX_LOCKOUT_HISTORY)."""


class SignatureInfo(msgspec.Struct, frozen=True, rename="camel"):
    signature: str
    slot: Slot
    block_time: UnixSeconds | None = None


class Page(NamedTuple):
    signatures: list[SignatureInfo]
    """Newest first."""
    source: int
    """Which endpoint told it. Endpoints may order the signatures of one slot differently."""
    ends_at: int | None = None
    """Of an empty page, the slot in which the node knows the signature it was asked to go on from."""


class Tip(NamedTuple):
    finalized_slot: int
    """Read before the page, from the same node: the page holds all that it has up to this slot and the page's end."""
    page: Page


class FetchedTransaction(NamedTuple):
    body: bytes
    """JSON text of getTransaction's result."""
    endpoint: str


class Account(NamedTuple):
    slot: int
    """The finalised slot that this was so at."""
    exists: bool
    is_program: bool


class Block(NamedTuple):
    blockhash: str
    block_time: int | None
    """Unix seconds; None where the node does not know it."""


class SlotContent(NamedTuple):
    """What the finalised chain has in a slot."""

    blockhash: str | None
    """None where the slot was skipped."""
    signatures: frozenset[str]


class SignatureStatus(NamedTuple):
    slot: int
    is_final: bool


class Chain(Protocol):
    """Every call raises ChainUnavailable when it may be tried again."""

    async def genesis_hash(self) -> str: ...

    async def slot(self, commitment: Commitment) -> int: ...

    async def first_available_slot(self) -> int:
        """The lowest slot whose block the node still has."""

    async def account(self, address: str) -> Account: ...

    @property
    def sources(self) -> list[str]:
        """The endpoints' names; `source` is the place of one in this list."""

    async def tip(self, address: str, limit: int, *, source: int | None = None) -> Tip:
        """The newest signatures that mention an address, of any endpoint, or of `source`."""

    async def older(self, address: str, before: str, limit: int, *, head: int, source: int | None = None) -> Page:
        """The signatures that come before one, of an endpoint that has finalised slot `head`: of any, or of `source`.

        Raises CursorUnknown where none of them knows that one, and says which of them could not be asked.
        """

    async def transaction(self, signature: str, *, final: bool) -> FetchedTransaction | None:
        """None while no node has it; `final` asks for what is finalised only."""

    async def final_content(self, slot: int) -> SlotContent:
        """Proven by the block, or, of a skipped slot, by the next one; ChainUnavailable where no node has the proof."""

    async def statuses(self, signatures: Sequence[str]) -> list[SignatureStatus | None]:
        """Where the node knows signatures, however old: aligned with `signatures`, 256 at most."""

    async def block_signatures(self, slot: int) -> list[str] | None:
        """In execution order; None where the slot was skipped."""

    async def finalized_block(self, slot: int) -> Block | None:
        """None where the slot was skipped. Raises RpcRefused where the node no longer has it."""


class _Status(msgspec.Struct, rename="camel"):
    slot: Slot
    confirmation_status: str | None = None


class _Statuses(msgspec.Struct):
    value: list[_Status | None]


class _Account(msgspec.Struct):
    executable: bool


class _Context(msgspec.Struct):
    slot: Slot


class _AccountInfo(msgspec.Struct):
    context: _Context
    value: _Account | None


class _Blockhash(msgspec.Struct):
    blockhash: str


class _Version(msgspec.Struct):
    surfnet: str | None = msgspec.field(name="surfnet-version", default=None)


class _BlockSignatures(msgspec.Struct):
    blockhash: str
    signatures: list[str]


class _Parent(msgspec.Struct, rename="camel"):
    parent_slot: Slot


_text = msgspec.json.Decoder(str)
_slot: "msgspec.json.Decoder[int]" = msgspec.json.Decoder(Slot)
_seconds: "msgspec.json.Decoder[int | None]" = msgspec.json.Decoder(UnixSeconds | None)
_any = msgspec.json.Decoder(msgspec.Raw)
_version = msgspec.json.Decoder(_Version)
_page = msgspec.json.Decoder(list[SignatureInfo])
_statuses = msgspec.json.Decoder(_Statuses)
_account = msgspec.json.Decoder(_AccountInfo)
_blockhash = msgspec.json.Decoder(_Blockhash)
_block_signatures = msgspec.json.Decoder(_BlockSignatures)
_parent = msgspec.json.Decoder(_Parent)


class RpcChain:
    """Implements Chain. Signatures and transactions are read at `commitment`."""

    def __init__(self, rpc: RpcClient, *, commitment: Commitment, max_transaction_version: int) -> None:
        self._rpc = rpc
        self._commitment = commitment
        self._max_transaction_version = max_transaction_version
        self._is_surfnet: dict[int, bool] = {}

    async def genesis_hash(self) -> str:
        return (await self._rpc.call("getGenesisHash", [], _text)).value

    async def slot(self, commitment: Commitment) -> int:
        return (await self._rpc.call("getSlot", [{"commitment": commitment}], _slot)).value

    async def first_available_slot(self) -> int:
        return (await self._rpc.call("getFirstAvailableBlock", [], _slot)).value

    async def account(self, address: str) -> Account:
        options = {"encoding": "base64", "commitment": "finalized", "dataSlice": {"offset": 0, "length": 0}}
        found = (await self._rpc.call("getAccountInfo", [address, options], _account)).value
        return Account(found.context.slot, found.value is not None, bool(found.value and found.value.executable))

    @property
    def sources(self) -> list[str]:
        return self._rpc.names

    async def tip(self, address: str, limit: int, *, source: int | None = None) -> Tip:
        slot = await self._rpc.call("getSlot", [{"commitment": "finalized"}], _slot, at=source)
        return Tip(slot.value, Page(await self._signatures(address, {"limit": limit}, slot.value, slot.at), slot.at))

    async def older(self, address: str, before: str, limit: int, *, head: int, source: int | None = None) -> Page:
        turns = [source] if source is not None else self._rpc.turns()
        reasons, unknown, end = [], False, None
        for index in turns:
            try:
                page = await self._older(address, before, limit, head, index)
            except ChainUnavailable as error:
                reasons += error.reasons
                continue
            except RpcRefused as refused:
                reasons.append(str(refused))
                continue
            if page is not None and page.signatures:
                return page
            end, unknown = end or page, unknown or page is None
        if end is not None:
            return end
        if unknown:
            raise CursorUnknown(before, reasons)
        raise ChainUnavailable("getSignaturesForAddress", reasons)

    async def _older(self, address: str, before: str, limit: int, head: int, at: int) -> Page | None:
        """None of a node that does not know `before`: it answers with an empty page as well."""
        finalized = (await self._rpc.call("getSlot", [{"commitment": "finalized"}], _slot, at=at)).value
        if finalized < head:
            raise ChainUnavailable("getSlot", [f"its finalised slot {finalized} is below {head}"])
        page = await self._signatures(address, {"limit": limit, "before": before}, head, at)
        if page:
            return Page(page, at)
        (status,) = await self._statuses([before], at=at)
        return None if status is None else Page([], at, ends_at=status.slot)

    async def _signatures(self, address: str, options: dict[str, object], head: int, at: int) -> list[SignatureInfo]:
        """Of a node that has finalised `head`: which of several behind one URL it was that said so is not known."""
        options = options | {"commitment": self._commitment}
        # Surfpool 1.5 takes the parameter for a filter, and leaves out all older signatures.
        if head > 0 and not await self._surfnet(at):
            options["minContextSlot"] = head + (CONFIRMED_AHEAD if self._commitment == "confirmed" else 0)
        return (await self._rpc.call("getSignaturesForAddress", [address, options], _page, at=at)).value

    async def _surfnet(self, at: int) -> bool:
        if at not in self._is_surfnet:
            self._is_surfnet[at] = (await self._rpc.call("getVersion", [], _version, at=at)).value.surfnet is not None
        return self._is_surfnet[at]

    async def transaction(self, signature: str, *, final: bool) -> FetchedTransaction | None:
        options = {
            "encoding": "json",
            "commitment": "finalized" if final else self._commitment,
            "maxSupportedTransactionVersion": self._max_transaction_version,
        }
        reply = await self._rpc.call("getTransaction", [signature, options], _any)
        others = [index for index in self._rpc.turns() if index != reply.at] if reply.raw == b"null" else []
        for index in others:
            with suppress(ChainUnavailable, RpcRefused):
                reply = await self._rpc.call("getTransaction", [signature, options], _any, at=index)
                if reply.raw != b"null":
                    break
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

    async def statuses(self, signatures: Sequence[str]) -> list[SignatureStatus | None]:
        return await self._statuses(signatures, at=None)

    async def _statuses(self, signatures: Sequence[str], *, at: int | None) -> list[SignatureStatus | None]:
        params = [list(signatures), {"searchTransactionHistory": True}]
        reply = await self._rpc.call("getSignatureStatuses", params, _statuses, at=at)
        if len(reply.value.value) != len(signatures):
            raise ChainUnavailable("getSignatureStatuses", [f"{reply.endpoint} left out some of them"])
        return [SignatureStatus(s.slot, s.confirmation_status == "finalized") if s else None for s in reply.value.value]

    async def final_content(self, slot: int) -> SlotContent:
        reasons = []
        for index in self._rpc.turns():
            try:
                block = await self._get_block(slot, "finalized", "signatures", _block_signatures, at=index)
                if block is not None:
                    return SlotContent(block.blockhash, frozenset(block.signatures))
                if await self._was_skipped(slot, at=index):
                    return SlotContent(None, frozenset())
                reasons.append(f"it lacks the block of slot {slot}, or what follows")
            except ChainUnavailable as error:
                reasons += error.reasons
            except RpcRefused as refused:
                reasons.append(str(refused))
        raise ChainUnavailable("getBlock", reasons)

    async def _was_skipped(self, slot: int, *, at: int) -> bool:
        """What follows says so: a node that lost a block says the same as one where there was none."""
        for following in range(slot + 1, slot + 1 + SKIPPED_SLOTS_MAX):
            block = await self._get_block(following, "finalized", "none", _parent, at=at)
            if block is not None:
                return block.parent_slot < slot
        return False

    async def _get_block(
        self,
        slot: int,
        commitment: Commitment,
        details: str,
        decoder: "msgspec.json.Decoder[B]",
        *,
        at: int | None = None,
    ) -> B | None:
        options = {
            "commitment": commitment,
            "transactionDetails": details,
            "rewards": False,
            "maxSupportedTransactionVersion": self._max_transaction_version,
        }
        try:
            return (await self._rpc.call("getBlock", [slot, options], decoder, at=at)).value
        except RpcRefused as refused:
            if refused.is_answer:
                return None
            raise
