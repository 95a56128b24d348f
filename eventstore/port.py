"""What the rest of the system may ask of an event store, whatever it is kept in."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from eventstore.facts import Fact
from eventstore.identity import FactKey


class StoredFact(NamedTuple):
    position: int
    """Place in the store: rises, may have holes, never equals a count."""
    recorded_at_us: int
    """When it was appended, Unix microseconds; never falls as positions rise."""
    fact: Fact


class FactOfVault(NamedTuple):
    """A place in the index by vault."""

    vault: str
    stored: StoredFact
    is_contested: bool
    """Whether its signature is (`FactReader.contested_between`)."""


class StoredBytes(NamedTuple):
    """A fact as it is stored, for what must not depend on what it says."""

    position: int
    recorded_at_us: int
    key: FactKey
    topic: str
    state: bytes


class Binding(NamedTuple):
    """The one cluster and the one program that a store belongs to."""

    genesis_hash: str
    program_id: str


class Inclusion(NamedTuple):
    """A signature in a slot."""

    signature: str
    slot: int


class Owed(NamedTuple):
    """A known signature whose transaction is not stored yet."""

    signature: str
    slot: int
    block_time: int | None


class Evidence(NamedTuple):
    """A transaction as a node returned it: the JSON text of getTransaction's result."""

    signature: str
    slot: int
    transaction_index: int
    block_time: int | None
    body: bytes
    endpoint: str
    is_final: bool = False
    """Whether the node had finalised it; if not, it is unsettled."""
    quality: int = 0
    """Of what completes it (logs, inner instructions, its index as the node gave it), how much is there."""


class StoredEvidence(NamedTuple):
    """Evidence as it is stored."""

    signature: str
    slot: int
    transaction_index: int
    block_time: int | None
    body: bytes
    """Compressed: one Zstandard frame."""
    endpoint: str
    recorded_at_us: int
    quality: int
    is_settled: bool


class Snapshot(Protocol):
    """The store at one moment."""

    where: str

    def binding(self) -> Binding | None: ...

    def bytes_after(self, position: int, limit: int) -> list[StoredBytes]:
        """The next facts by position. Raises FactUnreadable for what has no key."""

    def evidence_after(self, slot: int, signature: str, limit: int) -> list[StoredEvidence]:
        """The next evidence by slot and signature; from a slot on, after (slot, "")."""

    def evidence_of(self, signature: str) -> list[StoredEvidence]:
        """One for each slot, lowest first. Looks through the whole index."""

    def evidence_count(self) -> int: ...


class FactReader(Protocol):
    """The reading side: all that projections need."""

    def binding(self) -> Binding | None:
        """None until an indexer has bound the store."""

    def read_after(self, position: int, limit: int) -> list[StoredFact]:
        """The next facts by position; never passes over one that commits later. Raises FactUnreadable."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """To be held no longer than needed: on PostgreSQL it may not rest for a minute."""

    def read_vault(
        self, vault: str, *, through_position: int, after: StoredFact | None = None, limit: int = 1_000
    ) -> list[StoredFact]:
        """A vault's next facts in chain order, of those at or below `through_position`; `after` is one of them.

        Raises FactUnreadable, and VaultIndexDamaged for what is in the index and is no fact of that vault.
        """

    def read_by_vault(
        self, *, through_position: int, after: FactOfVault | None = None, limit: int = 1_000
    ) -> list[FactOfVault]:
        """The next of all vaults' facts, each vault's together and in chain order, as `read_vault` has them."""

    def contested_between(self, after: int, through: int) -> list[str]:
        """Contested signatures of which something is said at positions above `after`, up to `through`.

        A signature is contested if more was said of it than one decode of one inclusion, be it at other positions:
        only of those can a fact not stand (`eventstore.standing`).
        """

    def contested_of_vault(self, vault: str, *, through_position: int) -> list[str]:
        """Contested signatures among a vault's facts at or below a position."""

    def read_contested(self, signature: str, *, through_position: int) -> list[StoredFact]:
        """What is said of a contested signature, by position, and the coverage that passed its inclusions."""

    def last_position(self) -> int:
        """0 when the store is empty."""

    def key_at(self, position: int) -> FactKey | None:
        """Identity of the fact at a position; None if the store does not hold it."""

    def close(self) -> None: ...


class Decode(NamedTuple):
    """What one revision says of an inclusion."""

    revision: int
    """-1 where nothing was ever said of it."""
    facts: list[Fact]
    """In order of position."""


class Reverted(NamedTuple):
    """An inclusion that the finalised chain does not have."""

    inclusion: Inclusion
    blockhash: str | None
    """Of the finalised block of the slot; None where the slot was skipped."""
    landed_in_slot: int | None = None
    """The finalised slot that has the signature, where that is the proof."""


class Gap(NamedTuple):
    """Slots, ends included, or one transaction of a slot, that the store cannot answer for."""

    from_slot: int
    through_slot: int
    signature: str | None
    reason: str
    is_accepted: bool = False


class Walk(NamedTuple):
    """A search for signatures from the tip down to a floor.

    It covers the slots above `floor`; once it has met its floor, every signature up to `head` is known. `head` is a
    slot that was finalised before the walk began: above it more signatures may still turn up.
    """

    walk_id: int | None
    """None until a page of it was recorded that did not end it."""
    floor: int
    """Slot at or below which a signature ends the walk; -1 for the beginning of history."""
    head: int
    cursor: str | None
    """The last signature seen, to go on before; None when nothing was read yet."""


class Backfill(NamedTuple):
    """A search through history that was begun and not finished."""

    from_slot: int
    """Down to which it goes."""
    head: int
    """Slot of the newest signature that it saw."""
    slot: int
    """Down to where it has come."""
    cursor: str
    """The last signature of a slot that was listed whole."""
    listed: int
    """Signatures, so far."""
    queued: int
    """Of these, how many were not known."""


class Imported(NamedTuple):
    """What an import did."""

    facts: int
    """That the store did not hold."""
    known: int
    """That it held already."""
    evidence: int
    """That it did not hold."""


class Progress(NamedTuple):
    """How complete the store is."""

    discovered_through: int
    """Every signature up to this slot is known; -1 at first."""
    walks: tuple[Walk, ...]
    """Unfinished walks, that with the highest floor first."""
    owed: int
    frontier: int
    """Every transaction up to this slot is stored, but for gaps: min(discovered-through, lowest owed slot - 1)."""
    unsettled: int
    """Inclusions of which it is not known whether they are final."""
    complete_through: int
    """What coverage may be: the frontier, below what is unsettled and below gaps that nobody accepted."""
    coverage: int
    """`through_slot` of the last CoverageAdvanced; -1 at first."""


class Appended(NamedTuple):
    stored: int
    """Facts that were new."""
    conflicts: int
    """Facts that were known under the same key with other content."""
    last_position: int


class Import(Protocol):
    """What is added to a store from the export of another; each may raise ImportRefused."""

    def add_facts(self, facts: Sequence[StoredBytes]) -> None:
        """The next by position; those that the store holds are compared."""

    def add_evidence(self, evidence: Sequence[StoredEvidence]) -> None: ...

    def finish(self) -> Imported:
        """After all was added."""


class IngestStore(FactReader, Protocol):
    """The indexer's side: facts, evidence, and the durable state of its search, in one transaction each.

    `epoch` is the lease's: a call with an epoch that was taken over changes nothing and raises LeaseLost.
    """

    def bind(self, binding: Binding) -> None:
        """Binds an empty store; raises WrongChain or WrongProgram when it is bound to something else."""

    def acquire_lease(self, holder: str) -> int:
        """Returns a new epoch, higher than all before; raises LeaseHeld while another process holds the lease."""

    def progress(self) -> Progress: ...

    def last_coverage(self) -> StoredFact | None:
        """The last CoverageAdvanced."""

    def sample_inclusion(self, through_slot: int, *, settled: bool) -> Inclusion | None:
        """The newest stored inclusion up to a slot that was not reverted; a `settled` one every node must know."""

    def undecoded(self) -> int:
        """How many events the IDL did not explain: facts of the kind EventUndecoded."""

    def holds_beginning(self) -> bool:
        """Whether AuthorityInitialized is stored, and stands: nothing that the program does can come before it."""

    def next_walk(self, head: int) -> Walk:
        """A walk from the tip down to where the newest search before it began. Writes nothing."""

    def record_page(
        self, epoch: int, walk: Walk, found: Sequence[Owed], cursor: str | None, *, met_floor: bool
    ) -> Walk:
        """Queues the found signatures that are not stored yet and moves the walk on; a walk that `met_floor` is over.

        Its range then belongs to the unfinished walk below it, or, if there is none, discovered-through moves.
        """

    def enqueue(self, found: Sequence[Owed], *, head: int) -> list[Owed]:
        """Owes those that are not known, and returns them; `head` is a slot that is final to who listed them.

        Needs no lease: it may be done beside the indexer.
        """

    def backfill(self) -> Backfill | None:
        """The one that was not finished."""

    def keep_backfill(self, backfill: Backfill | None) -> None:
        """In place of the one before; None when it is finished. Needs no lease."""

    def owed(self, limit: int) -> list[Owed]:
        """Owed signatures, lowest slot first."""

    def unsettled(self, through_slot: int, limit: int) -> list[Inclusion]:
        """Inclusions of which it is not known whether they are final, lowest slot first."""

    def settled_between(self, from_slot: int, through_slot: int) -> list[Inclusion]:
        """Stored inclusions in these slots, ends included, that are settled and were not reverted; by slot."""

    def settle(
        self,
        epoch: int,
        settled: Sequence[Inclusion],
        reverted: Sequence[Reverted] = (),
        found: Sequence[Owed] = (),
    ) -> Appended:
        """The `settled` are final; the `reverted` are not on the chain, which becomes a fact; `found` is owed.

        Other inclusions of a signature that is settled are reverted as well: none is processed twice.
        """

    def find_gaps(self, epoch: int, gaps: Sequence[Gap]) -> Appended:
        """Those that are not open yet become facts. What is owed in a gap holds coverage, the frontier no longer."""

    def close_gaps(self, epoch: int, from_slot: int, reason: str) -> Appended:
        """Those that begin there and are of no single transaction."""

    def gaps(self) -> list[Gap]:
        """Those that are not closed, lowest first."""

    def accept_gap(self, gap: Gap, *, operator: str, reason: str) -> bool:
        """Lets coverage pass an open gap. False if it is none, or accepted already."""

    def append(
        self,
        facts: Sequence[Fact],
        evidence: Sequence[Evidence] = (),
        *,
        no_longer_owed: Sequence[Inclusion] = (),
        epoch: int | None = None,
    ) -> Appended:
        """Stores what is new and returns how much that was; known facts are left as they are.

        All or nothing. What is `no_longer_owed` leaves the queue in the same transaction and needs `epoch`, as does
        CoverageAdvanced. Raises StoreUnwritable, StoreBusy or LeaseLost; calling again is safe after each.
        """

    def latest_decode(self, inclusion: Inclusion) -> Decode:
        """The highest revision of an inclusion."""

    def importing(self, epoch: int, binding: Binding) -> AbstractContextManager[Import]:
        """One transaction: what ends in an error has changed nothing. Raises WrongChain or WrongProgram."""
