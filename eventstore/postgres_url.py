"""From postgresql://… to what a connection needs, and to what may be said of it."""

from typing import NamedTuple

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from eventstore.errors import StoreUrlInvalid

SCHEMES = ("postgresql://", "postgres://")

# A server that vanished without a word is noticed within a quarter of a minute. The URL may say otherwise.
DEFAULTS: dict[str, str | int] = {
    "connect_timeout": 5,  # seconds, as the keepalives
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,  # milliseconds
    "client_encoding": "utf8",
    "application_name": "collateral-vault",
}


class PostgresPlace(NamedTuple):
    conninfo: str
    """May hold a password."""
    where: str
    """Host, port and database."""

    def __repr__(self) -> str:
        return f"PostgresPlace({self.where})"


def parse_postgres_url(url: str) -> PostgresPlace:
    """Raises StoreUrlInvalid, without what the URL holds of secrets."""
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError:
        raise StoreUrlInvalid(url, "it is not a PostgreSQL URL") from None  # the cause quotes the password
    database = given.get("dbname")
    if not database:
        raise StoreUrlInvalid(url, "it names no database")
    ports = str(given.get("port") or 5432)
    if not ports.replace(",", "").isdigit():
        raise StoreUrlInvalid(url, "its port is no number")
    host = given.get("host") or given.get("hostaddr") or "localhost"
    return PostgresPlace(
        make_conninfo(make_conninfo("", **DEFAULTS), **given), f"postgresql://{host}:{ports}/{database}"
    )
