"""What can go wrong with an event store; each docstring is the message and the way out."""

import re

ANEW = "restore it from a back-up, or let vault-indexer fill a new one"


class EventStoreError(Exception):
    """The event store cannot do what was asked."""


def without_secrets(url: str) -> str:
    """Without user, password and query."""
    return re.sub(r"^([^:/@]*:/+)?.*@", r"\1", re.sub(r"[?#].*", "", url))


class StoreUrlInvalid(EventStoreError):
    """The event store URL cannot be used."""

    def __init__(self, url: str, reason: str) -> None:
        shown = without_secrets(url)
        super().__init__(
            f"VAULT_EVENT_STORE_URL {shown!r}: {reason}; "
            "use sqlite:///relative.db, sqlite:////absolute.db or postgresql://user:password@host:5432/database"
        )


class StoreReplaced(EventStoreError):
    """What is open is no longer the store of that name: it was removed, dropped or restored meanwhile."""

    def __init__(self, where: str) -> None:
        super().__init__(f"the event store at {where} was removed or replaced meanwhile: restart")


class StoreMissing(EventStoreError):
    """There is no event store yet: the indexer creates it."""

    def __init__(self, where: str) -> None:
        super().__init__(f"no event store at {where}: start the indexer first, or check VAULT_EVENT_STORE_URL")


class SchemaTooNew(EventStoreError):
    """The store was written by a newer version of this software."""

    def __init__(self, where: str, found: int, known: int) -> None:
        super().__init__(f"{where} has schema version {found}, this software knows {known}: use the newer version")


class SchemaTooOld(EventStoreError):
    """The store was written by an older version of this software and is not migrated yet."""

    def __init__(self, where: str, found: int, known: int) -> None:
        super().__init__(
            f"{where} has schema version {found}, not {known}: start this version's indexer, it migrates it"
        )


class NotAnEventStore(EventStoreError):
    """What is there is something else."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} is not an event store ({reason}): check VAULT_EVENT_STORE_URL")


class StoreDamaged(EventStoreError):
    """The file is an event store, but what is in it is not what was written."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"the event store at {where} is damaged ({reason}): {ANEW}")


class FactUnreadable(EventStoreError):
    """One fact cannot be read, and nothing that comes after it is."""

    def __init__(self, where: str, position: int, reason: str) -> None:
        super().__init__(f"the fact at position {position} of {where} cannot be read: {reason}")


class FactCorrupt(EventStoreError):
    """What is stored of a fact is not what was appended."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"it is corrupt ({reason}), so the event store is damaged: {ANEW}")


class VaultIndexDamaged(EventStoreError):
    """The index by vault names a position where there is no such fact of that vault."""

    def __init__(self, where: str, vault: str, position: int) -> None:
        super().__init__(
            f"the event store at {where} is damaged: its index by vault names position {position} for {vault!r}, "
            f"where there is no such fact of that vault: {ANEW}"
        )


class StoreUnwritable(EventStoreError):
    """The store cannot be written: read-only, full, or out of reach; nothing of the batch was stored."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"cannot write {where}: {reason}; nothing was lost, free space or fix permissions and restart")


class StoreUnreadable(EventStoreError):
    """The store cannot be read; SQLite needs files beside it that all who use it read and write."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"cannot read {where}: {reason}; let this user read it and write its folder, where SQLite keeps -wal and "
            "-shm files beside it, or read a copy in another folder"
        )


class StoreBusy(EventStoreError):
    """Another process held the write lock for too long; the batch was not stored and can be tried again."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is locked by another process: find out who holds it, then try again")


class StoreUnreachable(EventStoreError):
    """The database server is away, or refuses us; what was under way may be stored or not: calling again is safe."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"cannot reach {where}: {reason}; start PostgreSQL, create the database, or check VAULT_EVENT_STORE_URL"
        )


class DatabaseFunctionsEnabled(EventStoreError):
    """The eventsourcing library is told to insert by database functions, which let tailing readers miss events."""

    def __init__(self, variable: str) -> None:
        super().__init__(
            f"{variable} is set: inserting by database functions takes no table lock, so events commit out of order "
            "and readers that follow the store miss some; unset it"
        )


class WrongChain(EventStoreError):
    """The node serves another chain than the one this store was filled from."""

    def __init__(self, where: str, what: str, expected: str, actual: str) -> None:
        super().__init__(
            f"{where} belongs to another chain: its {what} is {expected}, the node says {actual}; "
            "point VAULT_RPC_URLS at the right cluster or VAULT_EVENT_STORE_URL at an empty folder"
        )


class WrongProgram(EventStoreError):
    """The store holds the events of another program."""

    def __init__(self, where: str, expected: str, actual: str) -> None:
        super().__init__(
            f"{where} holds the events of program {expected}, not {actual}: "
            "set VAULT_PROGRAM_ID or use another VAULT_EVENT_STORE_URL"
        )


class LeaseHeld(EventStoreError):
    """Another indexer is running on this store."""

    def __init__(self, where: str, holder: str) -> None:
        super().__init__(f"{where} is in use by another running indexer ({holder}): stop it first")


class LeaseLost(EventStoreError):
    """Another indexer took over: this one must stop."""

    def __init__(self, where: str, epoch: int) -> None:
        super().__init__(f"{where}: the lease of epoch {epoch} was taken over by another indexer; stopping")


class TopicUnknown(EventStoreError):
    """It is a kind of fact that this version does not know."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"its topic {topic!r} is unknown here: use the version that wrote it, or, if there is none, {ANEW}"
        )


class HeadMalformed(EventStoreError):
    """That is no head of a hash chain."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:100]!r} is no head of a hash chain: it is written POSITION:HASH, the hash in hex")


class ExportInvalid(EventStoreError):
    """A line of an export is not what it has to be."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line} of the export: {reason}")


class ImportRefused(EventStoreError):
    """The store holds something else than the beginning of what is to be imported; nothing of it was stored."""

    def __init__(self, where: str, position: int, reason: str) -> None:
        super().__init__(
            f"{where} at position {position}: {reason}; "
            "import into an empty store, or into one that holds a prefix of the export. Nothing was imported"
        )


class StoreUnbound(EventStoreError):
    """Nothing was ever stored: the store is of no chain and no program yet."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is empty: no indexer has begun to fill it")
