"""One active indexer per PostgreSQL store: a lock of the session, which the server frees when the session ends."""

from typing import Any

from psycopg import Connection, sql
from psycopg.rows import tuple_row

LEASE = 0x4356_4553_0000_0001  # "CVES"; of this database alone
NAME_LENGTH = 63

HOLDER = """
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = %s AND objid = %s
"""


class SessionLease:
    """Held by the connection that writes as well: while writes get through, the lock is there."""

    def __init__(self) -> None:
        self._holder: str | None = None
        self._held_by: Connection[Any] | None = None

    @property
    def is_wanted(self) -> bool:
        return self._holder is not None

    def acquire(self, connection: Connection[Any], holder: str) -> bool:
        """False while another session holds it. The holder's name is the session's, for others to see."""
        if self._held_by is not connection:
            (got,) = _row(connection, f"SELECT pg_try_advisory_lock({LEASE})") or (False,)
            if not got:
                return False
            name = sql.Literal(holder.encode("ascii", "replace")[:NAME_LENGTH].decode())
            connection.execute(sql.SQL("SET application_name TO {}").format(name))
        self._holder, self._held_by = holder, connection
        return True

    def keep(self, connection: Connection[Any]) -> bool:
        """Takes it again if the connection is another than it was taken on; False if somebody else has it."""
        return self._holder is None or self.acquire(connection, self._holder)

    def release(self) -> None:
        if self._held_by is not None and not self._held_by.closed:
            self._held_by.execute(f"SELECT pg_advisory_unlock({LEASE})")
        self._holder, self._held_by = None, None


def holder_of(connection: Connection[Any]) -> str | None:
    row = _row(connection, HOLDER, (LEASE >> 32, LEASE & 0xFFFF_FFFF))
    return row[0] if row else None


def _row(connection: Connection[Any], statement: str, parameters: tuple[int, ...] = ()) -> tuple[Any, ...] | None:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement, parameters).fetchone()
