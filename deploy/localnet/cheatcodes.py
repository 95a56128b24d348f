"""What only a local node can do: programs, accounts and tokens from nowhere. Calls block, some milliseconds each."""

import http.client
import json
import struct
import urllib.error
import urllib.request
from typing import Any

from solders.pubkey import Pubkey
from solders.token import ID as TOKEN_PROGRAM
from solders.token.associated import get_associated_token_address

from localnet.errors import NodeUnreachable, RpcError
from localnet.programs import Program

TIMEOUT_S = 30
RENT_LAMPORTS = 10**9
"""More than enough for any account made here."""


class Cheatcodes:
    def __init__(self, rpc_url: str) -> None:
        self._rpc_url = rpc_url

    def call(self, method: str, *params: Any) -> Any:
        """Any JSON-RPC call's result, undecoded."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self._rpc_url, body, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                answer = json.load(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NodeUnreachable(self._rpc_url, method, error) from error
        if "error" in answer:
            raise RpcError(method, answer["error"]["code"], answer["error"]["message"], answer["error"].get("data"))
        return answer["result"]

    def deploy(self, program: Program, upgrade_authority: Pubkey) -> None:
        """As the upgradeable loader would have it, so that the authority may initialise what only it may."""
        self.call("surfnet_writeProgram", str(program.address), program.code.hex(), 0, str(upgrade_authority))

    def fund(self, address: Pubkey, lamports: int) -> None:
        """Sets the balance."""
        self.call("surfnet_setAccount", str(address), {"lamports": lamports})

    def set_account(self, address: Pubkey, owner: Pubkey, data: bytes, lamports: int = RENT_LAMPORTS) -> None:
        self.call("surfnet_setAccount", str(address), {"lamports": lamports, "owner": str(owner), "data": data.hex()})

    def set_mint(self, address: Pubkey, mint_authority: Pubkey, decimals: int = 6, supply: int = 0) -> None:
        """A legacy SPL Token mint; layout: spl-token's state.rs, `Mint`."""
        data = struct.pack("<I32sQBBI32s", 1, bytes(mint_authority), supply, decimals, 1, 0, bytes(32))
        self.set_account(address, TOKEN_PROGRAM, data)

    def set_tokens(self, owner: Pubkey, mint: Pubkey, amount: int) -> Pubkey:
        """Makes the owner's associated token account hold `amount` base units; the mint's supply stays as it is."""
        self.call("surfnet_setTokenAccount", str(owner), str(mint), {"amount": amount})
        return get_associated_token_address(owner, mint)
