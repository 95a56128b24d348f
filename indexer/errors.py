"""What can go wrong between a node and the store; each docstring is the message and the way out."""


class IndexerError(Exception):
    """The indexer cannot go on as it is set up."""


class ChainUnavailable(IndexerError):
    """No endpoint answered usefully; it may be tried again."""

    def __init__(self, method: str, reasons: list[str], retry_after_s: float = 0.0) -> None:
        self.reasons = [f"{method}: {reason}" for reason in reasons]
        self.retry_after_s = retry_after_s
        super().__init__(f"{method}: no endpoint answered ({'; '.join(reasons)}): check VAULT_RPC_URLS and the node")


class CursorUnknown(IndexerError):
    """No endpoint knows the signature that a walk has come to: a fork dropped it, or they have pruned it."""

    def __init__(self, cursor: str, unasked: list[str]) -> None:
        self.unasked = unasked
        """Why others could not be asked: one of them may know it."""
        super().__init__(f"no endpoint knows signature {cursor} any more")


class BeginningUnproven(IndexerError):
    """The signatures that the nodes list end where the program's history cannot have begun, or may not have."""

    def __init__(self, reason: str, through_slot: int) -> None:
        self.through_slot = through_slot
        """Up to there nothing is listed."""
        super().__init__(f"this may not be where the program's history begins: {reason}")


SKIPPED_SLOT_CODES = {-32007, -32009}
"""agave rpc-client-api/custom_error.rs: SLOT_SKIPPED and LONG_TERM_STORAGE_SLOT_SKIPPED."""


class RpcRefused(IndexerError):
    """The node understood the call and answered with an error of its own."""

    def __init__(self, endpoint: str, method: str, code: int, message: str) -> None:
        self.code = code
        self.is_answer = code in SKIPPED_SLOT_CODES
        """Not for want of something that another node may have."""
        super().__init__(f"{endpoint} refused {method}: {code} {message}: check VAULT_RPC_URLS and what it may ask")


class OtherChain(IndexerError):
    """The node serves another chain than the one the store was filled from."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(
            f"the node serves another chain than {where} was filled from: {what}; point VAULT_RPC_URLS at the right "
            "cluster, or VAULT_EVENT_STORE_URL at an empty folder"
        )


class NodeBehind(OtherChain):
    """The node does not know what the store was filled from: it lags, or its chain is another, younger one."""


class ProgramNotFound(IndexerError):
    """There is no such program on the cluster."""

    def __init__(self, program_id: str, what: str) -> None:
        super().__init__(f"{program_id} {what}: check VAULT_PROGRAM_ID and VAULT_RPC_URLS")


class IdlUnfit(IndexerError):
    """The IDL does not describe the program whose events we know."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}: set VAULT_IDL to the IDL of VAULT_PROGRAM_ID")
