"""Whether a list of signatures that ends does so because the program's history begins there."""

from solders.pubkey import Pubkey

from eventstore.port import IngestStore
from indexer.chain import I64_MAX, Chain
from indexer.errors import BeginningUnproven, ChainUnavailable


class Beginning:
    """A node that has pruned its history, or has none, answers with an empty page as well.

    The program can do nothing before its authority is initialised. So the list has to come down to where
    AuthorityInitialized is stored; as long as the authority's account does not exist, there is no history to miss.
    """

    def __init__(self, chain: Chain, store: IngestStore, program_id: str) -> None:
        self._chain = chain
        self._store = store
        self._program_id = program_id

    async def prove(self, head: int, ends_at: int | None) -> None:
        """Of a list up to slot `head` whose last signature is in slot `ends_at`, or that is empty.

        Raises BeginningUnproven, or ChainUnavailable where the node lags.
        """
        below = I64_MAX if ends_at is None else ends_at - 1
        nothing_through = min(below, head)
        left_out = self._store.sample_inclusion(below, settled=False)
        if left_out is not None:
            reason = f"{left_out.signature} of slot {left_out.slot} is stored, and is not listed"
            raise BeginningUnproven(reason, nothing_through)
        owed = self._store.owed(1)
        if owed and owed[0].slot <= below:
            reason = f"{owed[0].signature} of slot {owed[0].slot} was found, and is not listed"
            raise BeginningUnproven(reason, nothing_through)
        if not self._store.holds_beginning():
            await self._prove_absence(head, nothing_through, still_owed=bool(owed))

    async def _prove_absence(self, head: int, nothing_through: int, *, still_owed: bool) -> None:
        authority = authority_of(self._program_id)
        account = await self._chain.account(authority)
        if account.slot < head:
            raise ChainUnavailable("getAccountInfo", [f"its slot {account.slot} is below {head}"])
        if account.exists and still_owed:
            raise BeginningUnproven("what was found is not all stored yet", nothing_through)
        if account.exists:
            reason = f"authority {authority} exists, and no AuthorityInitialized was found"
            cure = "VAULT_RPC_URLS needs a node with the program's whole history"
            raise BeginningUnproven(f"{reason}; {cure}", nothing_through)


def authority_of(program_id: str) -> str:
    """Its address, of seeds `["authority"]` (programs/vault-manager/src/seeds.rs)."""
    return str(Pubkey.find_program_address([b"authority"], Pubkey.from_string(program_id))[0])
