"""Whatever type an IDL can say, whatever value it has: what was written is what is read."""

import math
import struct

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.borsh import Malformed
from indexer.borsh_compiler import Compiler
from indexer.idl import parse_idl
from tests.property.indexer.borsh_samples import Written, written

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def same(left: object, right: object) -> bool:
    """Equal and of equal types, NaN with NaN."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return type(left) is type(right) and left == right


@patient
@given(written(), st.binary(max_size=4))
def test_what_was_written_is_read_to_its_end(case: Written, more: bytes) -> None:
    idl = parse_idl(case.idl)
    value, end = Compiler(idl).event_reader(idl.events[0])(case.data + more, 0)
    assert end == len(case.data)
    assert same(value, case.value)


@patient
@given(written(), st.data())
def test_what_is_cut_short_is_refused(case: Written, data: st.DataObject) -> None:
    if not case.data:
        return
    idl = parse_idl(case.idl)
    cut = case.data[: data.draw(st.integers(0, len(case.data) - 1))]
    try:
        Compiler(idl).event_reader(idl.events[0])(cut, 0)
    except (Malformed, struct.error, IndexError):
        return
    raise AssertionError("read from too few bytes")


@patient
@given(written(), st.binary(max_size=200))
def test_any_bytes_are_a_value_or_are_refused(case: Written, data: bytes) -> None:
    idl = parse_idl(case.idl)
    try:
        _, end = Compiler(idl).event_reader(idl.events[0])(data, 0)
    except (Malformed, struct.error, IndexError):
        return
    assert end <= len(data)
