"""The log subscription as a wake-up hint: it says that there is something to look for, never what."""

import asyncio

import structlog
from solana.exceptions import SolanaRpcException
from solana.rpc import commitment as levels
from solana.rpc.jsonrpc import SolanaJsonRpcError
from solana.rpc.websocket_api import OverflowPolicy, SolanaWsClient
from solders.errors import SerdeJSONError
from solders.pubkey import Pubkey
from solders.rpc.config import RpcTransactionLogsFilterMentions
from solders.rpc.responses import LogsNotification
from websockets.exceptions import WebSocketException

from indexer.chain import Commitment
from indexer.http_endpoint import public_name, without_secrets

SILENCE_S_MAX = 15.0
"""Slots tick several times a second: a connection without a message for so long is half open."""
RECONNECT_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 5.0)
MESSAGE_BYTES_MAX = 16 * 2**20
# A pydantic ValidationError, which a malformed answer raises, is a ValueError.
FAILURES = (
    OSError,
    TimeoutError,
    ValueError,
    WebSocketException,
    SolanaJsonRpcError,
    SolanaRpcException,
    SerdeJSONError,
)
COMMITMENTS: dict[Commitment, levels.Commitment] = {"confirmed": levels.Confirmed, "finalized": levels.Finalized}
log = structlog.get_logger()


class Hint:
    """`wake` is set whenever there may be something new; `slot` is the highest slot that was hinted at."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.slot = -1
        self._arrived_s = 0.0

    def arrived(self, slot: int) -> None:
        self.slot = max(self.slot, slot)
        self._arrived_s = asyncio.get_running_loop().time()
        self.wake.set()

    def age_s(self) -> float:
        return asyncio.get_running_loop().time() - self._arrived_s


async def listen(url: str, program_id: str, commitment: Commitment, hint: Hint) -> None:
    """Feeds the hint until cancelled; whatever happens to a connection, another one follows.

    What was sent while none was open is lost, so every new connection counts as a hint.
    """
    failures = 0
    while True:
        try:
            async with _client(url) as client:
                await _subscribe(client, program_id, commitment)
                hint.wake.set()
                log.info("hint_connected", endpoint=public_name(url))
                while True:
                    async with asyncio.timeout(SILENCE_S_MAX):
                        message = await client.recv()
                    failures = 0
                    if isinstance(message, LogsNotification):
                        hint.arrived(message.result.context.slot)
        except FAILURES as error:
            delay_s = RECONNECT_DELAYS_S[min(failures, len(RECONNECT_DELAYS_S) - 1)]
            failures += 1
            reason = without_secrets(str(error), url) or type(error).__name__
            log.warning("hint_lost", endpoint=public_name(url), reason=reason, retry_s=delay_s)
        await asyncio.sleep(delay_s)


def _client(url: str) -> SolanaWsClient:
    return SolanaWsClient(
        url, overflow=OverflowPolicy.DROP_OLDEST, max_size=MESSAGE_BYTES_MAX, ping_interval=5, ping_timeout=5
    )


async def _subscribe(client: SolanaWsClient, program_id: str, commitment: Commitment) -> None:
    mentions = RpcTransactionLogsFilterMentions(Pubkey.from_string(program_id))
    await client.slot_subscribe()
    await client.logs_subscribe(filter_=mentions, commitment=COMMITMENTS[commitment])
