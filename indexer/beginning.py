"""Whether a list of signatures that ends does so because the program's history begins there."""

from solders.pubkey import Pubkey

from eventstore.port import IngestStore, Walk
from indexer.chain import Chain
from indexer.errors import BeginningUnproven, ChainUnavailable


class Beginning:
    """A node that has pruned its history, or has none, answers with an empty page as well.

    The program can do nothing before its authority is initialised, so AuthorityInitialized is the proof that history
    was read from its beginning; as long as the authority's account does not exist, there is no history to miss.
    """

    def __init__(self, chain: Chain, store: IngestStore, program_id: str) -> None:
        self._chain = chain
        self._store = store
        self._program_id = program_id

    async def prove(self, walk: Walk) -> None:
        """Raises BeginningUnproven, or ChainUnavailable where the node lags."""
        stored = self._store.sample_inclusion(walk.floor)
        if stored is not None:
            raise BeginningUnproven(f"{stored.signature} of slot {stored.slot} is stored, and is not listed")
        if self._store.holds_beginning():
            return
        authority = authority_of(self._program_id)
        account = await self._chain.account(authority)
        if account.slot < walk.head:
            raise ChainUnavailable("getAccountInfo", [f"its slot {account.slot} is below {walk.head}"])
        if account.exists and self._store.owed(1):
            raise BeginningUnproven("what was found is not all stored yet")
        if account.exists:
            raise BeginningUnproven(
                f"authority {authority} exists, and no AuthorityInitialized was found; "
                "VAULT_RPC_URLS needs a node with the program's whole history"
            )


def authority_of(program_id: str) -> str:
    """Its address, of seeds `["authority"]` (programs/vault-manager/src/seeds.rs)."""
    return str(Pubkey.find_program_address([b"authority"], Pubkey.from_string(program_id))[0])
