"""A store is what it says it is, of a version that is known here, before anything is read from it."""

from eventstore.backend import Backend
from eventstore.errors import SchemaTooNew, SchemaTooOld, StoreMissing
from eventstore.migrations import MIGRATIONS
from eventstore.tables import SCHEMA_VERSION, Table


def prepare(backend: Backend, *, create: bool) -> None:
    """Creates what is missing and migrates what is older, if `create`.

    Raises StoreMissing, SchemaTooOld, SchemaTooNew, NotAnEventStore; LeaseHeld if an older one is in use.
    """
    version = backend.version()
    if version is None:
        if not create:
            raise StoreMissing(backend.where)
        backend.create()
    elif version > SCHEMA_VERSION:
        raise SchemaTooNew(backend.where, version, SCHEMA_VERSION)
    elif version < SCHEMA_VERSION:
        if not create:
            raise SchemaTooOld(backend.where, version, SCHEMA_VERSION)
        _migrate(backend)


def _migrate(backend: Backend) -> None:
    """Under the lease: no indexer of the older version may be writing."""
    backend.acquire_lease("migration")
    try:
        found = backend.version()
        assert found is not None
        with backend.writing() as transaction:
            for version in range(found, SCHEMA_VERSION):
                for step in MIGRATIONS[version]:
                    if isinstance(step, Table):
                        transaction.create(step)
                    elif isinstance(step, str):
                        transaction.execute(step)
                    else:
                        step(transaction)
            transaction.set_version(SCHEMA_VERSION)
    finally:
        backend.release_lease()
