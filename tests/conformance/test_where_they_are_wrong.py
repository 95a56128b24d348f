"""Every case known in which a reference decoder is wrong and we are not, each with its reason in one sentence.

When one of these fails because the peer has been mended, take the case out and let the generated ones cover it.
"""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import pytest

from indexer.decode import Decoded, Decoder
from indexer.idl import parse_idl
from indexer.transaction import parse_transaction
from tests.conformance.agreement import agrees
from tests.conformance.dialects import discriminator, since_0_30, up_to_0_29
from tests.conformance.peers import Found, Peer
from tests.unit.indexer.recorded import ROUTER, VAULT, Call, emit, transaction

E = discriminator("E")
RAISES = "raises"
"""And so loses whatever else the transaction's logs hold."""
NO_IDL = "refuses the IDL"
BOTH_ANCHORS = ("anchor_since_0_30", "anchor_up_to_0_29")
ALL = (*BOTH_ANCHORS, "anchorpy_peer")


@pytest.fixture
def peers(anchor_since_0_30: Peer, anchor_up_to_0_29: Peer, anchorpy_peer: Peer) -> dict[str, Peer]:
    return dict(zip(ALL, (anchor_since_0_30, anchor_up_to_0_29, anchorpy_peer), strict=True))


def idl_for(peer: str, fields: list[Any], types: Sequence[Any]) -> bytes:
    """In the format that it reads."""
    if peer == "anchor_since_0_30":
        return since_0_30({"E": (E, fields)}, types)
    return up_to_0_29({"E": fields}, types).replace(b'"pubkey"', b'"publicKey"')


def ours_of(idl: bytes, recorded: dict[str, Any]) -> Decoded:
    decoder = Decoder(parse_idl(idl), VAULT, event_sources="log")
    return decoder.decode(parse_transaction(msgspec.json.encode(recorded)))


class Value(NamedTuple):
    why: str
    peers: tuple[str, ...]
    type: Any
    data: bytes
    ours: object
    """The value, or the reason why there is none."""
    theirs: object
    types: Sequence[Any] = ()


SHORT, REPLACED = "E: 10 bytes are too short for it", "\ufffd"
BOX = {
    "name": "Box",
    "generics": [{"kind": "type", "name": "T"}],
    "type": {"kind": "struct", "fields": [{"name": "item", "type": {"generic": "T"}}]},
}
CRATE = {
    "name": "Crate",
    "generics": [{"kind": "type", "name": "U"}],
    "type": {
        "kind": "struct",
        "fields": [
            {"name": "own", "type": {"generic": "U"}},
            {"name": "box", "type": {"defined": {"name": "Box", "generics": [{"kind": "type", "type": "u8"}]}}},
        ],
    },
}
ALIAS = {"name": "Amount", "type": {"kind": "alias", "value": "u8"}}
SIDE = {"name": "Side", "type": {"kind": "enum", "variants": [{"name": "LongSide"}]}}
NODE = {
    "name": "Node",
    "type": {"kind": "struct", "fields": [{"name": "next", "type": {"option": {"defined": "Node"}}}]},
}

VALUES = [
    Value("an integer that is cut short is read as if zeros followed", BOTH_ANCHORS, "u64", b"\1\2", SHORT, 513),
    Value(
        "an address that is cut short is read as a shorter number",
        BOTH_ANCHORS,
        "pubkey",
        b"\1\2",
        SHORT,
        "1111111111111111111111111111115T",
    ),
    Value(
        "a string that is cut short is read as far as it goes",
        ("anchor_up_to_0_29",),
        "string",
        b"\5\0\0\0ab",
        "E: 5 bytes announced, 2 there",
        "ab",
    ),
    Value(
        "bytes that are no UTF-8 are replaced, and the original is lost",
        BOTH_ANCHORS,
        "string",
        b"\1\0\0\0\xff",
        "E: a string that is not UTF-8",
        REPLACED,
    ),
    Value("any byte but 0 is true", ("anchorpy_peer",), "bool", b"\2", "E: a bool of 2", True),
    Value(
        "any tag but 0 is an option with a value",
        ("anchorpy_peer",),
        {"option": "u8"},
        b"\2\7",
        "E: an option's tag of 2",
        7,
    ),
    Value(
        "NaN is refused, which a program can emit",
        ("anchorpy_peer",),
        "f64",
        struct.pack("<d", float("nan")),
        float("nan"),
        RAISES,
    ),
    Value("u256 is in the format and not in the coder", ("anchorpy_peer",), "u256", b"\1" + bytes(31), 1, NO_IDL),
    Value("a coption is in the format and not in the coder", ALL, {"coption": "u8"}, b"\1\0\0\0\7", 7, NO_IDL),
    Value(
        "a type that may hold itself is laid out for ever",
        ("anchor_up_to_0_29", "anchorpy_peer"),
        {"defined": "Node"},
        b"\1\0",
        {"next": {"next": None}},
        NO_IDL,
        [NODE],
    ),
    Value(
        "of a generic type's arguments, those that are no parameters themselves are lost",
        ("anchor_since_0_30",),
        {"defined": {"name": "Crate", "generics": [{"kind": "type", "type": "u16"}]}},
        b"\1\0\2",
        {"own": 1, "box": {"item": 2}},
        NO_IDL,
        [BOX, CRATE],
    ),
]


def expected_of(found: Found) -> object:
    if found.error is not None:
        return RAISES
    (event,) = found.events
    ((name, value),) = event["data"]["fields"]
    assert name == "x"
    return value


@pytest.mark.parametrize(("case", "peer"), [pytest.param(c, p, id=f"{p}: {c.why}") for c in VALUES for p in c.peers])
def test_a_value_that_they_read_wrongly(case: Value, peer: str, peers: dict[str, Peer]) -> None:
    idl = idl_for(peer, [{"name": "x", "type": case.type}], case.types)
    ours = ours_of(idl, transaction(Call(VAULT, [emit(E + case.data)])))
    found = [event.fields["x"] for event in ours.events] + [one.reason for one in ours.undecoded]
    assert repr(found) == repr([case.ours])
    answer = peers[peer].ask(idl, VAULT, [E + case.data])
    if case.theirs == NO_IDL:
        assert answer.refused
    else:
        theirs = expected_of(answer.payloads[0])
        assert theirs == case.theirs if case.theirs == RAISES else agrees(case.theirs, theirs)


class Logs(NamedTuple):
    why: str
    peers: tuple[str, ...]
    recorded: dict[str, Any]
    ours: list[int]
    """The numbers in the events."""
    theirs: list[int] | str
    discriminator: bytes = E


def event(number: int) -> str:
    return emit(E + bytes([number]))


def cut(*calls: Call) -> dict[str, Any]:
    """From the second line on nothing but data lines has found room."""
    whole = transaction(*calls)["meta"]["logMessages"]
    logs = [whole[0], "Log truncated", *(line for line in whole if line.startswith("Program data: "))]
    return transaction(*calls, logs=logs)


LOGS = [
    Logs(
        "a text that a program logs is taken for an event, and whoever chooses the text forges it",
        ALL,
        transaction(Call(VAULT, ["Program log: " + event(1)[len("Program data: ") :]])),
        [],
        [1],
    ),
    Logs(
        "what a frame emitted before it failed did not happen",
        ALL,
        transaction(Call(ROUTER, [Call(VAULT, [event(1)], fails="failed: x")])),
        [],
        [1],
    ),
    Logs(
        "a frame that failed is not closed, so that what its caller logs is taken for ours",
        ALL,
        transaction(Call(ROUTER, [Call(VAULT, fails="failed: x"), event(1)])),
        [],
        [1],
    ),
    Logs(
        "a frame that failed is not closed, so that what we log after it is lost",
        ALL,
        transaction(Call(VAULT, [Call(ROUTER, fails="failed: x"), event(1)])),
        [1],
        [],
    ),
    Logs(
        "where logs are truncated the line that opens another's frame may be missing, and its events pass for ours",
        ALL,
        cut(Call(VAULT, [Call(ROUTER, [event(1)])])),
        [],
        [1],
    ),
    Logs(
        "one payload that does not decode takes all later events of the transaction away",
        ALL,
        transaction(Call(VAULT, [emit(E), event(1)])),
        [1],
        RAISES,
    ),
    Logs(
        "slices of one line are one payload, also where the first is padded",
        ALL,
        transaction(Call(VAULT, [emit(E, b"\1")])),
        [1],
        RAISES,
    ),
    Logs(
        "characters that are not base64 are passed over",
        ALL,
        transaction(Call(VAULT, ["Program data: !" + event(1)[len("Program data: ") :]])),
        [],
        [1],
    ),
    Logs(
        "a short text that happens to be base64 ends the reading",
        ("anchorpy_peer",),
        transaction(Call(VAULT, ["Program log: abcd", event(1)])),
        [1],
        RAISES,
    ),
    Logs(
        "a text that is not ASCII ends the reading",
        ("anchorpy_peer",),
        transaction(Call(VAULT, ["Program log: h\u00e9llo", event(1)])),
        [1],
        RAISES,
    ),
    Logs(
        "with a short discriminator almost any text is an event",
        ("anchor_since_0_30",),
        transaction(Call(VAULT, ["Program log: AAAA"])),
        [],
        [0],
        b"\0",
    ),
]


@pytest.mark.parametrize(("case", "peer"), [pytest.param(c, p, id=f"{p}: {c.why}") for c in LOGS for p in c.peers])
def test_logs_that_they_read_wrongly(case: Logs, peer: str, peers: dict[str, Peer]) -> None:
    fields: list[Any] = [{"name": "x", "type": "u8"}]
    idl = idl_for(peer, fields, [])
    if case.discriminator != E:
        idl = since_0_30({"E": (case.discriminator, fields)}, [])
    assert [event.fields["x"] for event in ours_of(idl, case.recorded).events] == case.ours
    found = peers[peer].ask(idl, VAULT, logs=[case.recorded["meta"]["logMessages"]]).logs[0]
    theirs = RAISES if found.error else [int(event["data"]["fields"][0][1]["number"]) for event in found.events]
    assert theirs == case.theirs


def names(found: Found) -> list[str]:
    return [name for event in found.events for name, _ in event["data"]["fields"]]


def test_anchor_up_to_0_29_spells_names_otherwise_than_the_idl(peers: dict[str, Peer]) -> None:
    idl = idl_for("anchor_up_to_0_29", [{"name": "new_total", "type": {"defined": "Side"}}], [SIDE])
    (ours,) = ours_of(idl, transaction(Call(VAULT, [emit(E + b"\0")]))).events
    (theirs,) = peers["anchor_up_to_0_29"].ask(idl, VAULT, [E + b"\0"]).payloads
    assert ours.fields == {"new_total": {"LongSide": {}}}
    assert agrees({"newTotal": {"longSide": {}}}, theirs.events[0]["data"])


def test_anchorpy_spells_names_otherwise_than_the_idl(peers: dict[str, Peer]) -> None:
    idl = idl_for("anchorpy_peer", [{"name": "newTotal", "type": "u8"}], [])
    (ours,) = ours_of(idl, transaction(Call(VAULT, [event(1)]))).events
    (theirs,) = peers["anchorpy_peer"].ask(idl, VAULT, [E + b"\1"]).payloads
    assert (list(ours.fields), names(theirs)) == (["newTotal"], ["new_total"])


def test_anchor_up_to_0_29_names_a_field_after_its_type_where_that_is_an_alias(peers: dict[str, Peer]) -> None:
    idl = idl_for("anchor_up_to_0_29", [{"name": "x", "type": {"defined": "Amount"}}], [ALIAS])
    (ours,) = ours_of(idl, transaction(Call(VAULT, [event(1)]))).events
    (theirs,) = peers["anchor_up_to_0_29"].ask(idl, VAULT, [E + b"\1"]).payloads
    assert (list(ours.fields), names(theirs)) == (["x"], ["amount"])


def test_anchor_since_0_30_takes_the_first_discriminator_that_fits_and_not_the_longest(peers: dict[str, Peer]) -> None:
    fields: list[Any] = [{"name": "x", "type": "u8"}]
    idl = since_0_30({"Short": (b"\1", fields), "Long": (b"\1\2", fields)}, [])
    (ours,) = ours_of(idl, transaction(Call(VAULT, [emit(b"\1\2\3")]))).events
    (theirs,) = peers["anchor_since_0_30"].ask(idl, VAULT, [b"\1\2\3"]).payloads
    assert (ours.name, ours.fields) == ("Long", {"x": 3})
    assert [event["name"] for event in theirs.events] == ["Short"]


def test_anchorpy_refuses_every_idl_since_0_30(peers: dict[str, Peer]) -> None:
    idl = since_0_30({"E": (E, [{"name": "x", "type": "u8"}])}, [])
    assert peers["anchorpy_peer"].ask(idl, VAULT).refused


def test_anchorpy_reads_an_enum_as_another_idl_had_it_whose_variants_have_the_same_names(
    peers: dict[str, Peer],
) -> None:
    """It remembers enums by their own text, which does not say what the types in it are."""

    def idl_with(item: str) -> bytes:
        one_of = {"kind": "enum", "variants": [{"name": "Some", "fields": [{"defined": "Item"}]}]}
        definitions = [{"name": "Item", "type": {"kind": "alias", "value": item}}, {"name": "OneOf", "type": one_of}]
        return idl_for("anchorpy_peer", [{"name": "x", "type": {"defined": "OneOf"}}], definitions)

    peers["anchorpy_peer"].ask(idl_with("u8"), VAULT)
    (theirs,) = peers["anchorpy_peer"].ask(idl_with("u16"), VAULT, [E + b"\0\1\1"], keep=True).payloads
    (ours,) = ours_of(idl_with("u16"), transaction(Call(VAULT, [emit(E + b"\0\1\1")]))).events
    assert ours.fields == {"x": {"Some": [257]}}
    assert agrees({"x": {"Some": [1]}}, theirs.events[0]["data"])
