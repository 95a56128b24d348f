"""Sends transactions to a node and waits for them, and reads accounts."""

import asyncio
import base64
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from localnet.errors import NodeUnreachable, RpcError, TransactionLost, TransactionRefused

REQUEST_TIMEOUT_S = 20
CONFIRM_TIMEOUT_S = 20
POLL_EVERY_S = 0.01
PREFLIGHT_FAILED = -32002
TRIES_MAX = 5
REMEMBERED = 1_000


class Confirmed(NamedTuple):
    signature: str
    slot: int
    error: object
    """`meta.err` as the node tells it; None when the transaction succeeded."""


class Client:
    """All reads are of the `confirmed` state."""

    def __init__(self, rpc_url: str, session: aiohttp.ClientSession) -> None:
        self._rpc_url = rpc_url
        self._session = session
        self._sent: deque[bytes] = deque(maxlen=REMEMBERED)
        """The last signatures, so that nothing is sent twice."""

    async def call(self, method: str, *params: Any) -> Any:
        """Any JSON-RPC call's result, undecoded."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            async with self._session.post(self._rpc_url, json=request) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NodeUnreachable(self._rpc_url, method, error) from error
        if "error" in answer:
            raise RpcError(method, answer["error"]["code"], answer["error"]["message"], answer["error"].get("data"))
        return answer["result"]

    async def slot(self, commitment: str = "confirmed") -> int:
        return int(await self.call("getSlot", {"commitment": commitment}))

    async def account(self, address: Pubkey) -> bytes | None:
        answer = await self.call("getAccountInfo", str(address), {"encoding": "base64", "commitment": "confirmed"})
        return base64.b64decode(answer["value"]["data"][0]) if answer["value"] else None

    async def send(
        self, instructions: Sequence[Instruction], signers: Sequence[Keypair], *, may_fail: bool = False
    ) -> Confirmed:
        """Returns once confirmed; the first signer pays. Raises TransactionRefused, which never reaches the chain.

        With `may_fail` there is no preflight, so that a transaction that fails reaches the chain, and its error is in
        what is returned. One instruction is best: Surfpool copies its whole history once for each.
        """
        for tries_left in reversed(range(TRIES_MAX)):
            transaction = await self._signed(instructions, signers)
            try:
                return await self._confirmation(await self._submit(transaction, may_fail=may_fail))
            except TransactionRefused as refused:
                if refused.name != "BlockhashNotFound" or not tries_left:  # a busy node forgets a blockhash that soon
                    raise
        raise AssertionError("the last try returns or raises")

    async def _submit(self, transaction: VersionedTransaction, *, may_fail: bool) -> str:
        options = {"encoding": "base64", "preflightCommitment": "confirmed", "skipPreflight": may_fail}
        try:
            return str(await self.call("sendTransaction", base64.b64encode(bytes(transaction)).decode(), options))
        except RpcError as error:
            if error.code == PREFLIGHT_FAILED:
                raise _refusal(error) from error
            raise

    async def _signed(self, instructions: Sequence[Instruction], signers: Sequence[Keypair]) -> VersionedTransaction:
        """With a fresh blockhash, since a node that makes a block of every transaction knows it for 150 of them only.

        The same instruction twice within a block would be the same transaction: waits for the next block then.
        """
        while True:
            latest = await self.call("getLatestBlockhash", {"commitment": "confirmed"})
            blockhash = Hash.from_string(latest["value"]["blockhash"])
            message = MessageV0.try_compile(signers[0].pubkey(), list(instructions), [], blockhash)
            transaction = VersionedTransaction(message, list(signers))
            signature = bytes(transaction.signatures[0])
            if signature not in self._sent:
                self._sent.append(signature)
                return transaction
            await asyncio.sleep(POLL_EVERY_S)

    async def _confirmation(self, signature: str) -> Confirmed:
        deadline = time.monotonic() + CONFIRM_TIMEOUT_S
        while time.monotonic() < deadline:
            status = (await self.call("getSignatureStatuses", [signature]))["value"][0]
            if status and status["confirmationStatus"] in ("confirmed", "finalized"):
                return Confirmed(signature, status["slot"], status["err"])
            await asyncio.sleep(POLL_EVERY_S)
        raise TransactionLost(signature, CONFIRM_TIMEOUT_S)


@asynccontextmanager
async def connect(rpc_url: str) -> AsyncIterator[Client]:
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Client(rpc_url, session)


def _refusal(error: RpcError) -> TransactionRefused:
    """Named as Anchor logs it; what others than our programs refuse has only the runtime's word."""
    data = error.data if isinstance(error.data, dict) else {}
    logs: list[str] = data.get("logs") or []
    found = re.search(r"Error Code: (\w+)\.", "\n".join(logs))
    return TransactionRefused(found[1] if found else str(data.get("err") or error), logs)
