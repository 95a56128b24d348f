"""No input makes the decoder raise, and no damage to a transaction makes it invent an event."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.decode import Decoder
from indexer.decode_command import Recorded, rows
from indexer.event_types import EventTypes, Undecodable
from indexer.transaction import TransactionInvalid, parse_transaction
from tests.unit.indexer.recorded import (
    AUTHORITY,
    BUDGET,
    ED25519,
    IDL,
    ROUTER,
    TOKEN,
    VAULT,
    Call,
    decode,
    deposited,
    emit,
    emit_cpi,
    idl_of,
    transaction,
)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PROGRAMS = [VAULT, ROUTER, TOKEN, BUDGET, ED25519]
DECODERS = [Decoder(idl_of(IDL), VAULT, event_sources=sources) for sources in ("cpi", "log", "both")]
lines = st.one_of(
    st.text(max_size=40),
    st.builds("Program {} invoke [{}]".format, st.sampled_from(PROGRAMS), st.integers(0, 5)),
    st.builds("Program {} {}".format, st.sampled_from(PROGRAMS), st.sampled_from(["success", "failed: x", "consumed"])),
    st.builds("Program data: {}".format, st.text(max_size=20)),
    st.builds(emit, st.binary(max_size=20)),
    st.builds("Program log: {}".format, st.text(max_size=20)),
    st.sampled_from(["Log truncated", "Program data: ", "Program log: ", emit(deposited(1))]),
)


def calls(depth: int) -> st.SearchStrategy[Call]:
    steps: st.SearchStrategy[Any] = st.sampled_from(["Program log: x", emit(b"?"), emit(deposited(1))])
    if depth:
        steps = steps | calls(depth - 1) | st.builds(emit_cpi, st.just(deposited(2)))
    return st.builds(Call, st.sampled_from(PROGRAMS[:4]), st.lists(steps, max_size=4))


recordings = st.lists(calls(2), max_size=4).map(lambda made: transaction(*made))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([VAULT, AUTHORITY]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@patient
@given(st.lists(lines, max_size=30), recordings)
def test_any_logs_can_be_decoded(logs: list[str], recorded: dict[str, Any]) -> None:
    recorded["meta"]["logMessages"] = logs
    decode_in_every_way(recorded)


@patient
@given(recordings, st.data())
def test_any_damage_can_be_decoded(recorded: dict[str, Any], data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        damage(recorded, data)
    decode_in_every_way(recorded)


def damage(node: Any, data: st.DataObject) -> None:
    """Goes down a random path and puts something else there."""
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if node[key] and isinstance(node[key], dict | list) and data.draw(st.integers(0, 3)):
            node = node[key]
            continue
        node[key] = data.draw(json_values | st.integers(-1, 9) | lines)
        return


def decode_in_every_way(recorded: dict[str, Any]) -> None:
    try:
        found = parse_transaction(msgspec.json.encode(recorded))
    except TransactionInvalid:
        return
    for decoder in DECODERS:
        decoded = decoder.decode(found)
        written = [
            msgspec.json.decode(msgspec.json.encode(row))
            for row in rows(Recorded(found.meta, found.transaction), decoded)
        ]
        places = [row["ordinal"] for row in written if "ordinal" in row]
        assert places == sorted(set(places))


@patient
@given(st.binary(max_size=200))
def test_any_bytes_are_a_transaction_or_are_refused(raw: bytes) -> None:
    try:
        parse_transaction(raw)
    except TransactionInvalid:
        return


@patient
@given(st.binary(max_size=64))
def test_any_payload_is_an_event_or_is_refused(payload: bytes) -> None:
    types = EventTypes(idl_of(IDL))
    try:
        name, fields = types.read(payload)
    except Undecodable:
        return
    assert (name, list(fields)) == ("Deposited", ["amount"])


@patient
@given(recordings, st.integers(min_value=0))
def test_truncation_takes_events_away_and_adds_none(recorded: dict[str, Any], at: int) -> None:
    whole = decode(recorded)
    logs = recorded["meta"]["logMessages"]
    if not logs:
        return
    logs[at % len(logs)] = "Log truncated"
    cut = decode(recorded)
    assert set(places_of(cut)) <= set(places_of(whole))
    assert [one for one in places_of(whole) if one[1] == "cpi"] == [one for one in places_of(cut) if one[1] == "cpi"]
    assert (cut.incomplete == "logs are truncated") == cut.invoked


@patient
@given(recordings)
def test_what_fits_together_is_complete_and_every_event_is_found(recorded: dict[str, Any]) -> None:
    decoded = decode(recorded)
    assert decoded.incomplete is None
    logs = recorded["meta"]["logMessages"]
    opened: list[str] = []
    expected = 0
    for line in logs:
        if " invoke [" in line:
            opened.append(line.split()[1])
        elif line.endswith(" success"):
            opened.pop()
        elif line == emit(deposited(1)) and opened[-1] == VAULT:
            expected += 1
    assert sum(event.source == "log" for event in decoded.events) == expected


def places_of(decoded: Any) -> list[tuple[int, str]]:
    return [(event.ordinal, event.source) for event in decoded.events]
