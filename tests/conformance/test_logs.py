"""Generated logs: the events that the reference decoders find in them are those that we find."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.decode import Decoder
from indexer.idl import parse_idl
from indexer.transaction import parse_transaction
from tests.conformance.agreement import agrees
from tests.conformance.dialects import discriminator, since_0_30, up_to_0_29
from tests.conformance.peers import Peer
from tests.unit.indexer.recorded import BUDGET, ED25519, ROUTER, TOKEN, VAULT, Call, emit, emit_cpi, transaction

FIELDS: list[Any] = [{"name": "amount", "type": "u64"}, {"name": "memo", "type": "string"}]
EVENTS = ("Deposited", "Withdrawn")
NEW_IDL = since_0_30({name: (discriminator(name), FIELDS) for name in EVENTS}, [])
OLD_IDL = up_to_0_29(dict.fromkeys(EVENTS, FIELDS), [])
patient = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

payloads = st.builds(
    lambda name, amount, memo: discriminator(name) + amount.to_bytes(8, "little") + bytes([len(memo), 0, 0, 0]) + memo,
    st.sampled_from(EVENTS),
    st.integers(0, 2**64 - 1),
    st.text(max_size=5).map(str.encode),
)
unknown = st.binary(min_size=8, max_size=20).map(lambda more: b"unknown!" + more)
notes = st.sampled_from(["Program log: Instruction: Deposit", "Program return: x AA==", "Program consumption: 5 units"])


def calls(depth: int) -> st.SearchStrategy[Call]:
    steps: st.SearchStrategy[Any] = notes | payloads.map(emit) | unknown.map(emit)
    if depth:
        steps = steps | calls(depth - 1) | payloads.map(emit_cpi)
    return st.builds(Call, st.sampled_from([VAULT, ROUTER, TOKEN]), st.lists(steps, max_size=4))


silent = st.just(Call(ED25519, silent=True)) | st.just(Call(BUDGET))
transactions = st.lists(calls(3) | silent, min_size=1, max_size=4).map(lambda made: transaction(*made))


def check(peer: Peer, idl: bytes, recorded: dict[str, Any]) -> None:
    ours = Decoder(parse_idl(idl), VAULT, event_sources="log").decode(parse_transaction(msgspec.json.encode(recorded)))
    assert ours.incomplete is None
    expected = sorted((event for event in ours.events if event.source == "log"), key=repr)
    logs = recorded["meta"]["logMessages"]
    theirs = peer.ask(idl, VAULT, logs=[logs]).logs[0]
    assert theirs.error is None
    found = list(theirs.events)
    assert len(found) == len(expected)
    for event in expected:
        found.remove(next(f for f in found if f["name"] == event.name and agrees(event.fields, f["data"])))


@patient
@given(transactions)
def test_anchor_since_0_30_finds_the_same_events(anchor_since_0_30: Peer, recorded: dict[str, Any]) -> None:
    check(anchor_since_0_30, NEW_IDL, recorded)


@patient
@given(transactions)
def test_anchor_up_to_0_29_finds_the_same_events(anchor_up_to_0_29: Peer, recorded: dict[str, Any]) -> None:
    check(anchor_up_to_0_29, OLD_IDL, recorded)


@patient
@given(transactions.filter(lambda recorded: recorded["meta"]["logMessages"]))
def test_anchorpy_finds_the_same_events(anchorpy_peer: Peer, recorded: dict[str, Any]) -> None:
    check(anchorpy_peer, OLD_IDL, recorded)
