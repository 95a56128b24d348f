"""Looks at everything from outside, as an operator would: node, event store, and the API's answers."""

from typing import NamedTuple

import aiohttp
import msgspec

from eventstore.errors import EventStoreError
from eventstore.open import open_fact_reader
from localnet.client import Client
from localnet.errors import LocalnetError

PAGE = 100
TIMEOUT_S = 5


class Sample(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """None where there is no answer (yet)."""

    slot: int | None = None
    """Confirmed."""
    finalized_slot: int | None = None
    stored: int | None = None
    """Position of the last fact in the event store."""
    projected: int | None = None
    """Position up to which the API's answers go."""
    complete_through_slot: int | None = None
    vaults: int | None = None
    more_vaults: bool = False
    """There are more than the first page, which is what `vaults` and `tvl` count."""
    tvl: int | None = None
    """Base units."""
    decimals: int = 0
    first_deposit: bool = False
    """A vault with collateral in it was seen over HTTP."""

    @property
    def lag_slots(self) -> int | None:
        """Finalised slots that the answers do not claim to be complete for."""
        if self.finalized_slot is None or self.complete_through_slot is None:
            return None
        return max(0, self.finalized_slot - self.complete_through_slot)


class _Vault(msgspec.Struct, rename="camel"):
    total_balance: str
    decimals: int | None = None


class _Meta(msgspec.Struct, rename="camel"):
    position: int
    complete_through_slot: int | None = None


class _Vaults(msgspec.Struct):
    data: list[_Vault]
    meta: _Meta


class Sources(NamedTuple):
    session: aiohttp.ClientSession
    node: Client
    event_store_url: str
    api_url: str


async def take(sources: Sources) -> Sample:
    slots = await _slots(sources.node)
    vaults = await _vaults(sources)
    sample = Sample(stored=stored_position(sources.event_store_url), slot=slots[0], finalized_slot=slots[1])
    if vaults is None:
        return sample
    return msgspec.structs.replace(
        sample,
        projected=vaults.meta.position,
        complete_through_slot=vaults.meta.complete_through_slot,
        vaults=len(vaults.data),
        more_vaults=len(vaults.data) >= PAGE,
        tvl=sum(int(vault.total_balance) for vault in vaults.data),
        decimals=next((vault.decimals for vault in vaults.data if vault.decimals is not None), 0),
        first_deposit=any(int(vault.total_balance) for vault in vaults.data),
    )


async def _slots(node: Client) -> tuple[int | None, int | None]:
    try:
        return await node.slot("confirmed"), await node.slot("finalized")
    except LocalnetError:
        return None, None


def stored_position(event_store_url: str) -> int | None:
    """None while there is no store."""
    try:
        reader = open_fact_reader(event_store_url)
    except EventStoreError:
        return None
    try:
        return reader.last_position()
    except EventStoreError:
        return None
    finally:
        reader.close()


async def _vaults(sources: Sources) -> _Vaults | None:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with sources.session.get(f"{sources.api_url}/v1/vaults?limit={PAGE}", timeout=timeout) as response:
            if response.status != 200:
                return None
            return msgspec.json.decode(await response.read(), type=_Vaults)
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
        return None
