"""Generated IDLs of both formats and events of theirs: what the reference decoders read in them is what we read."""

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.decode import Decoded, Decoder
from indexer.idl import parse_idl
from indexer.transaction import parse_transaction
from tests.conformance.agreement import agrees
from tests.conformance.dialects import ANCHORPY, Case, cases_since_0_30, cases_up_to_0_29
from tests.conformance.peers import Found, Peer
from tests.unit.indexer.recorded import VAULT, Call, emit, emit_cpi, transaction

patient = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def decoded(idl: bytes, payload: bytes) -> Decoded:
    """Emitted in both ways, which must come to the same."""
    raw = msgspec.json.encode(transaction(Call(VAULT, [emit(payload), emit_cpi(payload)])))
    found = Decoder(parse_idl(idl), VAULT, event_sources="both").decode(parse_transaction(raw))
    assert found.incomplete is None
    assert [event.source for event in found.events] in ([], ["log", "cpi"])
    assert repr([event.fields for event in found.events[:1]]) == repr([event.fields for event in found.events[1:]])
    assert [one.reason for one in found.undecoded[:1]] == [one.reason for one in found.undecoded[1:]]
    return found


def asked(peer: Peer, idl: bytes, payload: bytes) -> Found:
    answer = peer.ask(idl, VAULT, [payload])
    assert answer.refused is None
    return answer.payloads[0]


def check_written(peer: Peer, case: Case, more: bytes) -> None:
    theirs = asked(peer, case.idl, case.payload + more)
    ours = decoded(case.idl, case.payload + more)
    assert theirs.error is None
    assert [event["name"] for event in theirs.events] == [event.name for event in ours.events[:1]] == ["E"]
    assert agrees(ours.events[0].fields, theirs.events[0]["data"])
    assert agrees(case.value, theirs.events[0]["data"])


@patient
@given(cases_since_0_30(), st.binary(max_size=3))
def test_since_0_30_we_read_what_anchor_reads(anchor_since_0_30: Peer, case: Case, more: bytes) -> None:
    check_written(anchor_since_0_30, case, more)


@patient
@given(cases_up_to_0_29(), st.binary(max_size=3))
def test_up_to_0_29_we_read_what_anchor_reads(anchor_up_to_0_29: Peer, case: Case, more: bytes) -> None:
    check_written(anchor_up_to_0_29, case, more)


@patient
@given(cases_up_to_0_29(ANCHORPY), st.binary(max_size=3))
def test_up_to_0_29_we_read_what_anchorpy_reads(anchorpy_peer: Peer, case: Case, more: bytes) -> None:
    check_written(anchorpy_peer, case, more)


def damaged(payload: bytes, data: st.DataObject) -> bytes:
    """Some bytes changed, the end perhaps cut off."""
    octets = bytearray(payload)
    for place in data.draw(st.lists(st.integers(0, len(octets) - 1), max_size=3)):
        octets[place] = data.draw(st.sampled_from([0, 1, 2, 255]) | st.integers(0, 255))
    return bytes(octets[: data.draw(st.integers(0, len(octets)))] if data.draw(st.booleans()) else octets)


def check_damaged(peer: Peer, idl: bytes, payload: bytes, lenient: tuple[str, ...]) -> None:
    """Where we read an event, so do they, the same one; where we do not, nor do they, unless for a reason named."""
    theirs = asked(peer, idl, payload)
    ours = decoded(idl, payload)
    if ours.events:
        assert [agrees(ours.events[0].fields, event["data"]) for event in theirs.events] == [True]
        return
    reason = ours.undecoded[0].reason
    assert theirs.events == [] or any(one in reason for one in lenient), reason


@patient
@given(cases_since_0_30(), st.data())
def test_anchor_and_we_refuse_the_same_damage(anchor_since_0_30: Peer, case: Case, data: st.DataObject) -> None:
    check_damaged(anchor_since_0_30, case.idl, damaged(case.payload, data), ("too short", "not UTF-8"))


@patient
@given(cases_up_to_0_29(ANCHORPY), st.data())
def test_anchorpy_and_we_refuse_the_same_damage(anchorpy_peer: Peer, case: Case, data: st.DataObject) -> None:
    check_damaged(anchorpy_peer, case.idl, damaged(case.payload, data), ("a bool of", "an option's tag of"))
