"""The eventsourcing library's own cases for a recorder, run on ours."""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from uuid import UUID, uuid4

import pytest
from eventsourcing.postgres import PostgresDatastore
from eventsourcing.sqlite import SQLiteDatastore
from eventsourcing.tests import persistence as library

from eventstore import postgres_recorder, sqlite_recorder
from localpostgres.server import PostgresServer


class SQLiteRecorder(TestCase):
    INITIAL_VERSION = 0

    def create_recorder(self) -> sqlite_recorder.IngestRecorder:
        folder = self.enterContext(TemporaryDirectory())
        recorder = sqlite_recorder.IngestRecorder(SQLiteDatastore(str(Path(folder) / "events.db")))
        recorder.create_table()
        return recorder

    def new_originator_id(self) -> UUID:
        return uuid4()


class PostgresRecorder(TestCase):
    INITIAL_VERSION = 0

    @pytest.fixture(autouse=True)
    def _server(self, postgres: PostgresServer) -> None:
        self.server = postgres

    def create_recorder(self) -> postgres_recorder.IngestRecorder:
        database = self.server.new_database().rpartition("/")[2]
        place = (database, "127.0.0.1", self.server.port, "postgres", "")
        datastore = PostgresDatastore(*place, schema=postgres_recorder.SCHEMA, pool_size=5, max_overflow=10)
        recorder = postgres_recorder.IngestRecorder(self.enterContext(datastore))
        recorder.create_table()
        return recorder

    def new_originator_id(self) -> UUID:
        return uuid4()


class TestApplicationRecorderOnSQLite(
    SQLiteRecorder, library.ApplicationRecorderTestCase[sqlite_recorder.IngestRecorder]
):
    pass


class TestNonInterleavingOnSQLite(SQLiteRecorder, library.NonInterleavingNotificationIDsBaseCase):
    pass


class TestApplicationRecorderOnPostgreSQL(
    PostgresRecorder, library.ApplicationRecorderTestCase[postgres_recorder.IngestRecorder]
):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleavingOnPostgreSQL(PostgresRecorder, library.NonInterleavingNotificationIDsBaseCase):
    pass
