"""The closed set of facts that the event store can hold.

Addresses, mints and signatures are base58 text, amounts are u64 base units, `timestamp` and `block_time` are Unix
seconds. `timestamp` is what the program read from its clock, `block_time` what the node says of the slot (null where
the node does not know it). Facts are stored as msgpack arrays under a versioned topic (`eventstore.topics`): a field
may be appended with a default, anything else needs a new topic version.
"""

from msgspec import Struct


class ChainFact(Struct, frozen=True, kw_only=True, array_like=True):
    """Something that a transaction of the chain says; it belongs to one inclusion (signature in a slot)."""

    signature: str
    slot: int
    transaction_index: int
    """Place of the transaction in its block, from 0."""
    ordinal: int
    """Place in the transaction's trace: flattened instruction number x 65,536 + data line, both from 0."""
    revision: int
    """Decode revision: 0 at first; the highest revision of an inclusion stands as a whole."""
    block_time: int | None


class ProgramFact(ChainFact, frozen=True, kw_only=True, array_like=True):
    """A domain event: the program emitted it."""

    timestamp: int


class AuthorityInitialized(ProgramFact, frozen=True, kw_only=True, array_like=True):
    authority: str
    admin: str
    collateral_mint: str
    decimals: int


class ProgramAuthorized(ProgramFact, frozen=True, kw_only=True, array_like=True):
    authority: str
    admin: str
    program: str


class ProgramRevoked(ProgramFact, frozen=True, kw_only=True, array_like=True):
    authority: str
    admin: str
    program: str


class AdminProposed(ProgramFact, frozen=True, kw_only=True, array_like=True):
    authority: str
    admin: str
    pending_admin: str


class AdminAccepted(ProgramFact, frozen=True, kw_only=True, array_like=True):
    authority: str
    previous_admin: str
    admin: str


class VaultInitialized(ProgramFact, frozen=True, kw_only=True, array_like=True):
    vault: str
    owner: str
    token_account: str
    mint: str
    decimals: int
    total_balance: int
    locked_balance: int
    available_balance: int


class VaultFact(ProgramFact, frozen=True, kw_only=True, array_like=True):
    """One vault's balances changed by `amount`; the balances are those after the change."""

    vault: str
    owner: str
    amount: int
    total_balance: int
    locked_balance: int
    available_balance: int


class Deposited(VaultFact, frozen=True, kw_only=True, array_like=True):
    pass


class Withdrawn(VaultFact, frozen=True, kw_only=True, array_like=True):
    pass


class CollateralLocked(VaultFact, frozen=True, kw_only=True, array_like=True):
    program: str
    """The authorised program that asked for it."""


class CollateralUnlocked(VaultFact, frozen=True, kw_only=True, array_like=True):
    program: str
    """The authorised program that asked for it."""


class CollateralTransferred(ProgramFact, frozen=True, kw_only=True, array_like=True):
    """`amount` went from one vault's available balance to another's; balances are those after the transfer."""

    from_vault: str
    from_owner: str
    to_vault: str
    to_owner: str
    program: str
    amount: int
    from_total_balance: int
    from_locked_balance: int
    from_available_balance: int
    to_total_balance: int
    to_locked_balance: int
    to_available_balance: int


class TransactionFailed(ChainFact, frozen=True, kw_only=True, array_like=True):
    """A transaction that invoked the program and failed: nothing it logged happened."""

    fee_payer: str
    error: str
    """`meta.err` as the node gave it, JSON text."""
    code: int | None
    name: str | None
    message: str | None


class EventUndecoded(ChainFact, frozen=True, kw_only=True, array_like=True):
    """The program emitted something that the IDL does not explain; the evidence is kept, a re-decode can mend it."""

    reason: str
    data: bytes


class InclusionFact(Struct, frozen=True, kw_only=True, array_like=True):
    """What became of an inclusion (a signature in a slot) as a whole; the last of these facts about it stands."""

    signature: str
    slot: int
    times: int
    """How often the inclusion was reverted until then."""


class TransactionReverted(InclusionFact, frozen=True, kw_only=True, array_like=True):
    """The chain, finalised, does not have the transaction in that slot: nothing that it said there happened."""

    blockhash: str | None
    """Of the finalised block of the slot, which lacks the signature; null where the slot was skipped."""
    landed_in_slot: int | None = None
    """The finalised slot that has the signature, where that is the proof: none is processed twice."""


class TransactionReinstated(InclusionFact, frozen=True, kw_only=True, array_like=True):
    """A node that has finalised the slot has the transaction there after all."""


class GapFact(Struct, frozen=True, kw_only=True, array_like=True):
    """Slots, ends included, of which the store cannot say that it holds everything; or one transaction of a slot."""

    from_slot: int
    through_slot: int
    signature: str | None
    """Of the one transaction that is missing; null where it is not known what is."""
    times: int
    """How often this gap was found until then."""
    reason: str


class GapFound(GapFact, frozen=True, kw_only=True, array_like=True):
    pass


class GapClosed(GapFact, frozen=True, kw_only=True, array_like=True):
    """What was missing is stored, or was shown not to exist."""


class GapAccepted(GapFact, frozen=True, kw_only=True, array_like=True):
    """An operator lets coverage pass it; answers that span it say so."""

    operator: str


class CoverageAdvanced(Struct, frozen=True, kw_only=True, array_like=True):
    """Every transaction of the program in slots up to `through_slot`, finalised, is in the store."""

    through_slot: int
    block_time: int | None
    """Unix seconds of the last block at or below `through_slot`."""
    blockhash: str | None
    """Blockhash of slot `through_slot`; null where that slot was skipped."""


class ContentConflictFound(Struct, frozen=True, kw_only=True, array_like=True):
    """A fact arrived again under the same key with other chain-derived content; the first one stands."""

    key: str
    """`originator_id:originator_version` of the fact that stands, hexadecimal and decimal."""
    topic: str
    incoming: bytes
    """The state that was refused, as it would have been stored."""


class OperatorActed(Struct, frozen=True, kw_only=True, array_like=True):
    """Somebody changed something by a command."""

    operator: str
    """Who, as the machine knows them: user and host."""
    action: str
    """The command: `rebuild`, `flip`, `pause`."""
    subject: str
    """What it was done to."""
    reason: str | None
    acted_at_us: int
    """Unix microseconds, by the operator's clock."""


class EventDiscarded(Struct, frozen=True, kw_only=True, array_like=True):
    """An operator gave up on applying an event to one vault in one projection: it is left out there, for good."""

    signature: str
    slot: int
    key: str
    """`originator_id:originator_version` of the event, hexadecimal and decimal."""
    vault: str
    projection: str
    operator: str
    reason: str


ProgramEventFact = (
    AuthorityInitialized
    | ProgramAuthorized
    | ProgramRevoked
    | AdminProposed
    | AdminAccepted
    | VaultInitialized
    | Deposited
    | Withdrawn
    | CollateralLocked
    | CollateralUnlocked
    | CollateralTransferred
)
Fact = (
    ProgramEventFact
    | TransactionFailed
    | EventUndecoded
    | TransactionReverted
    | TransactionReinstated
    | GapFound
    | GapClosed
    | GapAccepted
    | CoverageAdvanced
    | ContentConflictFound
    | OperatorActed
    | EventDiscarded
)
