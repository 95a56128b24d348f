"""What only a server can suffer: away, restarted, refusing, slow, or set up to lose events."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import cast

import psycopg
import pytest

from eventstore import postgres_session
from eventstore.errors import (
    DatabaseFunctionsEnabled,
    EventStoreError,
    LeaseHeld,
    LeaseLost,
    NotAnEventStore,
    StoreBusy,
    StoreReplaced,
    StoreUnreachable,
    StoreUnwritable,
    StoreUrlInvalid,
)
from eventstore.open import open_fact_reader, open_ingest_store
from eventstore.port import Owed
from eventstore.postgres_url import parse_postgres_url
from eventstore.store import EventStore
from localpostgres.server import PostgresServer
from tests.contract.eventstore.conftest import Deposit

SECRET = "opensesame"
NOBODY_THERE = f"postgresql://indexer:{SECRET}@127.0.0.1:1/facts?application_name={SECRET}"
CutSessions = Callable[[], None]


@pytest.fixture
def store(postgres_url: str) -> Iterator[EventStore]:
    with closing(cast(EventStore, open_ingest_store(postgres_url))) as store:
        yield store


@pytest.fixture
def cut_sessions(postgres: PostgresServer, postgres_url: str) -> CutSessions:
    def cut() -> None:
        name = postgres_url.rpartition("/")[2]
        ended = postgres.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        assert ended
        assert set(ended) == {(True,)}

    return cut


def test_a_server_that_is_away_is_named_with_what_to_do_and_without_secrets() -> None:
    for opener in (open_ingest_store, open_fact_reader):
        with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1/facts.*start PostgreSQL") as refused:
            opener(NOBODY_THERE)
        assert SECRET not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://indexer:{SECRET}@host/facts?sslmode={SECRET}&x=y",
        f"postgresql://indexer:{SECRET}@[host/facts",
        f"postgresql://indexer:{SECRET}@host:port/facts",
        f"postgresql://indexer:{SECRET}@host",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_quoting_its_password(url: str) -> None:
    with pytest.raises(StoreUrlInvalid) as refused:
        open_ingest_store(url)
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_a_place_shows_where_it_is_and_nothing_else() -> None:
    place = parse_postgres_url(NOBODY_THERE)
    assert SECRET in place.conninfo
    assert repr(place) == "PostgresPlace(postgresql://127.0.0.1:1/facts)"
    assert f"{place}" == repr(place)


def test_a_database_that_is_not_there_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(StoreUnreachable, match=r'database "nowhere" does not exist.*create the database'):
        open_ingest_store(postgres.url("nowhere"))


def test_another_schema_of_that_name_is_refused_and_left_alone(postgres: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.execute("CREATE SCHEMA event_store CREATE TABLE theirs (x int)", name)
    for opener in (open_ingest_store, open_fact_reader):
        with pytest.raises(NotAnEventStore, match="event_store holds other tables"):
            opener(postgres_url)
    assert postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'event_store'", name) == [("theirs",)]


@pytest.mark.parametrize("value", ["1", "true", "Y", "on", "whatever"])
def test_database_functions_are_refused_with_the_reason(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
    for opener in (open_ingest_store, open_fact_reader):
        with pytest.raises(DatabaseFunctionsEnabled, match="readers that follow the store miss some; unset it"):
            opener(postgres_url)
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "false")
    open_ingest_store(postgres_url).close()


def test_a_writer_that_waits_too_long_for_the_lock_says_so_and_can_try_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, deposit: Deposit
) -> None:
    shorter = postgres_session.SETTINGS.replace("lock_timeout TO '5s'", "lock_timeout TO '50ms'")
    monkeypatch.setattr(postgres_session, "SETTINGS", shorter)
    with closing(open_ingest_store(postgres_url)) as store, psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE event_store.stored_events IN EXCLUSIVE MODE")
        with pytest.raises(StoreBusy, match="find out who holds it"):
            store.append([deposit(1)])
        assert store.read_after(0, 9) == [], "readers do not wait"
        other.rollback()
        assert store.append([deposit(1)]).stored == 1


def test_a_session_that_was_cut_is_opened_again_by_the_next_call(
    store: EventStore, deposit: Deposit, cut_sessions: CutSessions
) -> None:
    store.append([deposit(1)])
    cut_sessions()
    with pytest.raises(StoreUnreachable):
        store.append([deposit(2)])
    assert store.append([deposit(2)]).stored == 1
    cut_sessions()
    with pytest.raises(StoreUnreachable):
        store.read_after(0, 9)
    assert [stored.fact for stored in store.read_after(0, 9)] == [deposit(1), deposit(2)]


def test_a_session_that_failed_in_the_middle_of_a_statement_is_opened_again(
    store: EventStore, deposit: Deposit
) -> None:
    """As a server leaves it that dies while it answers; not every such connection knows yet that it is closed."""

    def fail() -> None:
        with store.backend.reading():
            session = store.backend._session  # type: ignore[attr-defined]
            session.connection().pgconn.send_query(b"SELECT pg_sleep(2)")
            raise psycopg.OperationalError("the answer makes no sense")

    with pytest.raises(StoreUnreachable):
        fail()
    assert store.append([deposit(1)]).stored == 1


def test_a_lease_whose_session_was_cut_goes_on_if_nobody_took_it(
    store: EventStore, postgres_url: str, cut_sessions: CutSessions
) -> None:
    epoch = store.acquire_lease("the first")
    cut_sessions()
    with pytest.raises(StoreUnreachable):
        store.record_page(epoch, store.next_walk(5), [Owed("s", 3, None)], None, met_floor=True)
    store.record_page(epoch, store.next_walk(5), [Owed("s", 3, None)], None, met_floor=True)
    assert store.progress().owed == 1
    with closing(open_ingest_store(postgres_url)) as other, pytest.raises(LeaseHeld, match="the first"):
        other.acquire_lease("the second")


def test_a_lease_whose_session_was_cut_is_lost_if_another_took_it(
    store: EventStore, postgres_url: str, cut_sessions: CutSessions
) -> None:
    epoch = store.acquire_lease("the first")
    cut_sessions()
    with closing(open_ingest_store(postgres_url)) as other:
        newer = other.acquire_lease("the second")
        with pytest.raises(StoreUnreachable):
            store.progress()
        with pytest.raises(LeaseLost, match=f"epoch {epoch}"):
            store.record_page(epoch, store.next_walk(5), [Owed("s", 3, None)], None, met_floor=True)
        other.record_page(newer, other.next_walk(5), [], None, met_floor=True)
    with pytest.raises(LeaseLost, match=f"epoch {epoch}"):
        store.record_page(epoch, store.next_walk(9), [Owed("s", 3, None)], None, met_floor=True)
    assert store.progress().owed == 0, "the lock was free again, the epoch was not ours"


def test_a_database_that_was_dropped_and_made_anew_is_another_store(
    store: EventStore, postgres: PostgresServer, postgres_url: str, deposit: Deposit
) -> None:
    name = postgres_url.rpartition("/")[2]
    store.append([deposit(1)])
    with closing(open_fact_reader(postgres_url)) as reader:
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for look in (reader.last_position, reader.last_position, store.progress):
            with pytest.raises(StoreUnreachable):
                look()
        postgres.execute(f"CREATE DATABASE {name}")
        open_ingest_store(postgres_url).close()
        with pytest.raises(StoreReplaced):
            reader.last_position()
        with pytest.raises(StoreReplaced):
            store.append([deposit(2)])


def test_a_role_that_may_only_read_reads_and_is_told_when_it_writes(
    store: EventStore, postgres: PostgresServer, postgres_url: str, deposit: Deposit
) -> None:
    store.append([deposit(1)])
    name = postgres_url.rpartition("/")[2]
    postgres.execute(f"CREATE ROLE reader_{name} LOGIN", name)
    postgres.execute(f"GRANT USAGE ON SCHEMA event_store TO reader_{name}", name)
    postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA event_store TO reader_{name}", name)
    as_reader = postgres_url.replace("postgres@", f"reader_{name}@")
    with closing(open_fact_reader(as_reader)) as reader:
        assert [stored.fact for stored in reader.read_after(0, 9)] == [deposit(1)]
        assert reader.key_at(1) is not None
    with closing(open_ingest_store(as_reader)) as refused:
        with pytest.raises(StoreUnwritable, match="permission denied"):
            refused.append([deposit(2)])
        with pytest.raises(EventStoreError):
            refused.acquire_lease("reader")
    assert store.last_position() == 1


def test_every_session_waits_for_the_disk_before_a_transaction_counts(
    postgres: PostgresServer, postgres_url: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
    with closing(cast(EventStore, open_ingest_store(postgres_url))) as store, store.backend.reading() as t:
        assert t.rows("SHOW synchronous_commit")[0][0] == "on"


def test_stricter_isolation_by_default_changes_nothing(
    postgres: PostgresServer, postgres_url: str, deposit: Deposit
) -> None:
    """With one snapshot for all of a transaction, what follows the lock would not see what led to it."""
    name = postgres_url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_isolation TO serializable")
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
    with closing(cast(EventStore, open_ingest_store(postgres_url))) as store:
        assert store.append([deposit(1)]).stored == 1
        with store.backend.writing() as t:
            assert t.rows("SHOW transaction_isolation")[0][0] == "read committed"
