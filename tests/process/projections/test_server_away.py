"""PostgreSQL goes away under a running projector and comes back: it waits, says so, and goes on."""

import signal
from contextlib import closing

from eventstore.open import open_ingest_store
from localpostgres.server import PostgresServer
from tests.process.projections.conftest import Projector, wait_until
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history


def test_a_server_that_goes_away_is_waited_for_with_a_warning(projector: Projector) -> None:
    history = random_history(steps=400, vaults=5)
    with PostgresServer(fsync="off") as server:
        url = server.new_database()
        with closing(open_ingest_store(url)) as events:
            append(events, history[:200])
            half = events.last_position()
            process = projector.start("run", settings={"VAULT_EVENT_STORE_URL": url})
            wait_until(lambda: projector.position() == half, "the first half")
            server.stop_at_once()
            assert process.stderr is not None
            said = next(line for line in process.stderr if '"waiting"' in line)
            assert '"warning"' in said
            assert "cannot reach" in said
            server.run()
        with closing(open_ingest_store(url)) as events:
            append(events, history[200:])
            wait_until(lambda: projector.position() == events.last_position(), "the rest")
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=30)
        assert process.returncode == 0, rest
        assert '"stopped"' in rest
