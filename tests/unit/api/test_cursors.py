"""Cursors: what we give comes back as it was, and nothing else is taken for one."""

import base64
import string
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api import cursors
from api.cursors import CursorInvalid
from projections.read_models import PageStart

SLOT_MAX = 2**63 - 1
"""What a store can hold."""
numbers = st.integers(0, SLOT_MAX)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
keys = st.lists(numbers | texts, min_size=1, max_size=4).map(tuple)
starts = st.builds(PageStart, numbers, keys)
START = PageStart(3, ("vault",))
TEXT = cursors.to_text("vaults", START)


def types_of(start: PageStart) -> tuple[type, ...]:
    return tuple(type(value) for value in start.key)


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(value)).rstrip(b"=").decode()


@given(texts, starts)
def test_a_cursor_comes_back_as_it_was_given(walk: str, start: PageStart) -> None:
    assert cursors.from_text(walk, cursors.to_text(walk, start), types_of(start)) == start


@given(starts)
def test_a_cursor_needs_no_escaping_in_a_url(start: PageStart) -> None:
    assert set(cursors.to_text("vaults", start)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_the_longest_cursor_that_we_give_is_taken_back() -> None:
    address, identity = "1" * 44, "f" * 32
    key = (SLOT_MAX, SLOT_MAX, SLOT_MAX, f"{identity}:{SLOT_MAX}:{address}")
    text = cursors.to_text(f"transactions:{address}:desc", PageStart(SLOT_MAX, key))
    assert len(text) <= cursors.CURSOR_LENGTH_MAX


def test_a_cursor_of_another_walk_is_refused() -> None:
    with pytest.raises(CursorInvalid, match="another request"):
        cursors.from_text("transactions:a:asc", TEXT, (str,))


@pytest.mark.parametrize("types", [(int,), (str, str), ()])
def test_a_key_of_other_fields_is_refused(types: tuple[type, ...]) -> None:
    with pytest.raises(CursorInvalid):
        cursors.from_text("vaults", TEXT, types)


@given(st.text(max_size=60))
@example(TEXT + "=")
@example(TEXT + "==")
@example(TEXT + "\n")
@example(" " + TEXT)
@example(TEXT + "AA")
@example("")
@example("\ud800")
def test_whatever_is_no_cursor_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(CursorInvalid):
        cursors.from_text("vaults", text, (str,))


@given(st.binary(max_size=60))
def test_bytes_that_only_look_like_a_cursor_are_refused(data: bytes) -> None:
    with pytest.raises(CursorInvalid):
        cursors.from_text("vaults", base64.urlsafe_b64encode(data).decode(), (str,))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        ("vaults", 1),
        ("vaults", 1, "key"),
        ("vaults", 1, ("key",), "more"),
        ("vaults", "1", ("key",)),
        ("vaults", 1.0, ("key",)),
        ("vaults", True, ("key",)),
        ("vaults", -1, ("key",)),
        ("vaults", 2**63, ("key",)),
        ("vaults", 1, (None,)),
        ("vaults", 1, (b"key",)),
        ("vaults", 1, (["key"],)),
        ("vaults", 1, ({"key": 1},)),
    ],
)
def test_a_forged_cursor_is_refused(value: Any) -> None:
    with pytest.raises(CursorInvalid):
        cursors.from_text("vaults", packed(value), (str,))


@pytest.mark.parametrize("number", [-(2**63), -1, 2**63, 2**64 - 1, 1.5, True, None])
def test_a_forged_number_that_no_store_could_compare_is_refused(number: Any) -> None:
    with pytest.raises(CursorInvalid):
        cursors.from_text("w", packed(("w", 1, (number,))), (int,))


def test_a_cursor_has_one_spelling() -> None:
    """The last character carries bits that mean nothing; with one of them set it is not what we gave."""
    taken = []
    for last in string.ascii_letters + string.digits + "-_+/":
        try:
            taken.append(cursors.from_text("vaults", TEXT[:-1] + last, (str,)))
        except CursorInvalid:
            continue
    assert len(set(taken)) == len(taken)
    assert START in taken
