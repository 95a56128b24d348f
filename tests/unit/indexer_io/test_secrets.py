"""Keys in URLs stay out of what is said, whoever says it."""

import pytest

from eventstore.errors import StoreUrlInvalid
from indexer.http_endpoint import without_secrets

URL = "https://user:pa55word@node.example:8899/v2/k3y-in-path?api-key=k3y-in-query"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"cannot ask {URL}", "cannot ask https://node.example:8899"),
        ("Cannot POST /v2/k3y-in-path?api-key=k3y-in-query", "Cannot POST /v2/***?***=***"),
        ("user pa55word is unknown on node.example", "*** *** is unknown on node.example"),
        ("users' superuser is unknown", "users' superuser is unknown"),
        ("no key K3Y%2din-path, nor k3y%2Din%2Dquery", "no key ***, nor ***"),
        ("Cannot connect to host node.example:8899", "Cannot connect to host node.example:8899"),
    ],
)
def test_what_quotes_a_url_or_a_part_of_it_is_shown_without_the_keys(said: str, shown: str) -> None:
    assert without_secrets(said, URL) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://user:s3cr3t@host/db?password=s3cr3t", "'postgres://host/db'"),
        ("postgres:user:s3cr3t@host", "'host'"),
        ("sqlite:////data/events.db?key=s3cr3t#s3cr3t", "'sqlite:////data/events.db'"),
        ("events.db", "'events.db'"),
    ],
)
def test_the_url_of_a_store_is_shown_without_user_password_and_query(url: str, shown: str) -> None:
    said = str(StoreUrlInvalid(url, "no"))
    assert shown in said
    assert "s3cr3t" not in said
