"""The eventsourcing library's own cases for a recorder, run on ours."""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from uuid import UUID, uuid4

from eventsourcing.sqlite import SQLiteDatastore
from eventsourcing.tests import persistence as library

from eventstore.sqlite_recorder import IngestRecorder


class SQLiteRecorder(TestCase):
    INITIAL_VERSION = 0

    def create_recorder(self) -> IngestRecorder:
        folder = self.enterContext(TemporaryDirectory())
        recorder = IngestRecorder(SQLiteDatastore(str(Path(folder) / "events.db")))
        recorder.create_table()
        return recorder

    def new_originator_id(self) -> UUID:
        return uuid4()


class TestApplicationRecorder(SQLiteRecorder, library.ApplicationRecorderTestCase[IngestRecorder]):
    pass


class TestNonInterleaving(SQLiteRecorder, library.NonInterleavingNotificationIDsBaseCase):
    pass
