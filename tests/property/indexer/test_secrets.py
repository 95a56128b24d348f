"""Whatever a URL's keys are made of and however they are quoted, they are not shown."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from indexer.http_endpoint import without_secrets

characters = st.characters(exclude_characters="|*", exclude_categories=["Cs"])
short, long = st.text(characters, min_size=1, max_size=9), st.text(characters, min_size=6, max_size=20)


def encoded(part: str) -> str:
    return quote(part, safe="")


@given(st.tuples(short, short), st.lists(long, min_size=3, max_size=3), st.data())
def test_no_part_that_may_be_a_key_is_shown_whoever_quotes_it(
    user: tuple[str, str], keys: list[str], data: st.DataObject
) -> None:
    name, password, path, value, fragment = map(encoded, (*user, *keys))
    url = f"https://{name}:{password}@node.example:8899/{path}?q={value}#{fragment}"
    part = data.draw(st.sampled_from([*user, *keys]))
    quoted = data.draw(st.sampled_from([part, encoded(part), encoded(part).lower()]))
    shown = without_secrets(f"cannot ask|{quoted}|at node", url)
    assert f"|{quoted}|" not in shown
    assert quoted.lower() not in shown.lower() or len(part) < 6
