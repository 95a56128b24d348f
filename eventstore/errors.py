"""What can go wrong with an event store; each docstring is the message and the way out."""

import re


class EventStoreError(Exception):
    """The event store cannot do what was asked."""


class StoreUrlInvalid(EventStoreError):
    """The event store URL cannot be used."""

    def __init__(self, url: str, reason: str) -> None:
        shown = re.sub(r"(:/*).*@", r"\1", re.sub(r"[?#].*", "", url))  # user, password and query may be secrets
        super().__init__(
            f"VAULT_EVENT_STORE_URL {shown!r}: {reason}; use sqlite:///relative.db or sqlite:////absolute.db"
        )


class StoreReplaced(EventStoreError):
    """The file that is open is no longer the one of that name: it was removed or restored meanwhile."""

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


class NotAnEventStore(EventStoreError):
    """The file is something else."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} is not an event store ({reason}): check VAULT_EVENT_STORE_URL")


class StoreUnwritable(EventStoreError):
    """The store cannot be written: read-only, full, or out of reach; nothing of the batch was stored."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"cannot write {where}: {reason}; nothing was lost, free space or fix permissions and restart")


class StoreBusy(EventStoreError):
    """Another process held the write lock for too long; the batch was not stored and can be tried again."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is locked by another process: find out who holds it, then try again")


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
    """The store holds a kind of fact that this version does not know."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"the store holds facts of topic {topic!r}, unknown here: use the version that wrote them")
