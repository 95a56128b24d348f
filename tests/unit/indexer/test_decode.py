"""The rules by which a transaction's trace becomes events."""

from typing import Any

import pytest

from indexer.cpi import EVENT_TAG
from indexer.decode import Decoder, ProgramIdInvalid
from tests.unit.indexer.recorded import (
    AUTHORITY,
    BUDGET,
    DEPOSITED,
    ED25519,
    IDL,
    PAYER,
    ROUTER,
    TOKEN,
    VAULT,
    Call,
    amounts,
    decode,
    deposited,
    emit,
    emit_cpi,
    idl_of,
    inner,
    transaction,
)


def place(instruction: int, line: int = 0) -> int:
    return instruction * 65_536 + line


# --- what counts as an event


def test_data_lines_of_our_frame_are_events_in_order() -> None:
    decoded = decode(transaction(Call(VAULT, [emit(deposited(1)), Call(TOKEN), emit(deposited(2))])))
    assert amounts(decoded) == [(place(0, 0), "log", 1), (place(0, 1), "log", 2)]
    assert (decoded.invoked, decoded.incomplete, decoded.failed) == (True, None, None)


def test_self_calls_signed_by_the_event_authority_are_events() -> None:
    decoded = decode(
        transaction(Call(VAULT, [Call(TOKEN), emit_cpi(deposited(1))]), Call(VAULT, [emit_cpi(deposited(2))]))
    )
    assert amounts(decoded) == [(place(2), "cpi", 1), (place(4), "cpi", 2)]


def test_the_same_payload_emitted_both_ways_is_two_events_in_the_order_of_the_trace() -> None:
    decoded = decode(transaction(Call(VAULT, [emit_cpi(deposited(1)), emit(deposited(1))])))
    assert amounts(decoded) == [(place(0), "log", 1), (place(1), "cpi", 1)]


def test_what_an_event_logs_itself_comes_after_it() -> None:
    event = emit_cpi(deposited(1))
    event.steps.append(emit(deposited(2)))
    assert amounts(decode(transaction(Call(VAULT, [event])))) == [(place(1), "cpi", 1), (place(1, 1), "log", 2)]


def test_events_of_calls_that_others_made_are_found_at_every_depth() -> None:
    nested = Call(ROUTER, [Call(TOKEN), Call(VAULT, [emit(deposited(1)), emit_cpi(deposited(2))])])
    decoded = decode(transaction(Call(BUDGET), nested))
    assert amounts(decoded) == [(place(3), "log", 1), (place(4), "cpi", 2)]


def test_a_frame_takes_up_its_count_of_lines_after_a_call_of_itself() -> None:
    again = Call(VAULT, [emit(deposited(2))])
    decoded = decode(transaction(Call(VAULT, [emit(deposited(1)), again, emit(deposited(3))])))
    assert amounts(decoded) == [(place(0, 0), "log", 1), (place(0, 1), "log", 3), (place(1, 0), "log", 2)]


def test_other_programs_data_lines_are_not_ours() -> None:
    decoded = decode(transaction(Call(ROUTER, [emit(deposited(1)), Call(VAULT), emit(deposited(2))]), Call(ROUTER)))
    assert (decoded.events, decoded.undecoded, decoded.incomplete) == ((), (), None)


@pytest.mark.parametrize(
    "line",
    [
        "Program log: " + emit(deposited(1))[len("Program data: ") :],
        "Program log: " + emit(deposited(1)),
        "Program data:" + emit(deposited(1))[len("Program data: ") :],
        " " + emit(deposited(1)),
        f"Program return: {VAULT} " + emit(deposited(1))[len("Program data: ") :],
        f"Program log: Program {VAULT} invoke [1]",
        f"Program log: \nProgram {VAULT} success",
    ],
)
def test_text_that_looks_like_an_event_is_none(line: str) -> None:
    decoded = decode(transaction(Call(VAULT, [line])))
    assert (decoded.events, decoded.undecoded, decoded.incomplete) == ((), (), None)


def test_text_that_looks_like_our_frame_does_not_open_one() -> None:
    forged = [f"Program log: Program {VAULT} invoke [2]", emit(deposited(1)), f"Program log: Program {VAULT} success"]
    decoded = decode(transaction(Call(ROUTER, [*forged]), Call(VAULT)))
    assert (decoded.events, decoded.incomplete) == ((), None)


def test_a_self_call_by_the_transaction_itself_is_no_event() -> None:
    decoded = decode(transaction(emit_cpi(deposited(1))))
    assert (decoded.events, decoded.undecoded, decoded.incomplete) == ((), (), None)


@pytest.mark.parametrize(
    "look_alike",
    [
        emit_cpi(deposited(1), authority=PAYER),
        emit_cpi(deposited(1), program=ROUTER),
        emit_cpi(deposited(1), tag=EVENT_TAG[::-1]),
        Call(VAULT, data=EVENT_TAG + deposited(1)),
        Call(VAULT, data=EVENT_TAG + deposited(1), accounts=(PAYER, AUTHORITY)),
        Call(VAULT, data=EVENT_TAG[:7], accounts=(AUTHORITY,)),
    ],
    ids=["authority", "program", "tag", "no account", "second account", "short"],
)
def test_a_look_alike_of_an_event_is_none(look_alike: Call) -> None:
    decoded = decode(transaction(Call(VAULT, [look_alike])))
    assert (decoded.events, decoded.undecoded, decoded.incomplete) == ((), (), None)


def test_an_event_whose_parent_is_another_program_is_none() -> None:
    parents = Call(VAULT, [Call(ROUTER, [emit_cpi(deposited(1))])]), Call(ROUTER, [emit_cpi(deposited(2))])
    decoded = decode(transaction(*parents))
    assert (decoded.events, decoded.undecoded, decoded.incomplete) == ((), (), None)


# --- evidence of other shapes


def parsed(recorded: dict[str, Any]) -> dict[str, Any]:
    """The same in encoding jsonParsed."""
    message = recorded["transaction"]["message"]
    keys = message["accountKeys"]
    for one in [*message["instructions"], *inner(recorded)]:
        one["programId"] = keys[one.pop("programIdIndex")]
        if one["programId"] == TOKEN:
            one |= {"program": "spl-token", "parsed": {"type": "transfer"}}
            del one["accounts"], one["data"]
        else:
            one["accounts"] = [keys[index] for index in one["accounts"]]
    message["accountKeys"] = [{"pubkey": key, "signer": False, "source": "transaction"} for key in keys]
    return recorded


def test_parsed_encoding_gives_the_same() -> None:
    recorded = transaction(Call(ROUTER, [Call(VAULT, [Call(TOKEN), emit_cpi(deposited(1)), emit(deposited(2))])]))
    assert decode(recorded).events
    assert decode(parsed(recorded)) == decode(
        transaction(Call(ROUTER, [Call(VAULT, [Call(TOKEN), emit_cpi(deposited(1)), emit(deposited(2))])]))
    )


def test_programs_and_authority_may_be_looked_up_accounts() -> None:
    recorded = transaction(Call(ROUTER, [Call(VAULT, [emit_cpi(deposited(1))])]))
    keys = recorded["transaction"]["message"]["accountKeys"]
    recorded["meta"]["loadedAddresses"] = {"writable": keys[2:3], "readonly": keys[3:]}
    recorded["transaction"]["message"]["accountKeys"] = keys[:2]
    assert amounts(decode(recorded)) == [(place(2), "cpi", 1)]


def test_an_instruction_of_an_account_that_is_not_given_makes_it_incomplete() -> None:
    recorded = transaction(Call(VAULT, [emit(deposited(1)), emit_cpi(deposited(2))]), Call(ROUTER))
    recorded["transaction"]["message"]["accountKeys"].remove(ROUTER)
    decoded = decode(recorded, "cpi")
    assert amounts(decoded) == [(place(1), "cpi", 2)]
    assert decoded.incomplete == "the program of instruction 2 is not among the 3 accounts given"


def test_an_authority_that_is_not_among_the_accounts_given_makes_it_incomplete() -> None:
    recorded = transaction(Call(VAULT, [emit_cpi(deposited(1)), Call(VAULT, accounts=(AUTHORITY,))]))
    recorded["transaction"]["message"]["accountKeys"].remove(AUTHORITY)
    decoded = decode(recorded, "cpi")
    assert (decoded.events, decoded.incomplete) == ((), "instruction 1 may be an event and cannot be read as one")


@pytest.mark.parametrize("version", ["legacy", 0, 1, None])
def test_the_version_does_not_matter(version: object) -> None:
    recorded = transaction(Call(VAULT, [emit(deposited(1))])) | {"version": version}
    assert amounts(decode(recorded)) == [(place(0), "log", 1)]


def test_without_stack_heights_the_logs_tell_the_parents() -> None:
    recorded = transaction(
        Call(ROUTER, [Call(VAULT, [Call(TOKEN), emit_cpi(deposited(1))])]),
        Call(VAULT, [Call(ROUTER, [emit_cpi(deposited(2))]), emit_cpi(deposited(3))]),
    )
    for one in inner(recorded):
        del one["stackHeight"]
    for sources in ("cpi", "both"):
        assert amounts(decode(recorded, sources)) == [(place(3), "cpi", 1), (place(7), "cpi", 3)]


def test_without_stack_heights_and_logs_the_parent_is_the_instruction() -> None:
    recorded = transaction(Call(VAULT, [Call(TOKEN), emit_cpi(deposited(1))]), Call(ROUTER, [emit_cpi(deposited(2))]))
    recorded["meta"]["logMessages"] = None
    for one in inner(recorded):
        one["stackHeight"] = None
    assert amounts(decode(recorded)) == [(place(2), "cpi", 1)]


def test_stack_heights_that_make_no_tree_make_it_incomplete() -> None:
    recorded = transaction(Call(VAULT, [Call(TOKEN), emit_cpi(deposited(1))]))
    inner(recorded)[1]["stackHeight"] = 4
    decoded = decode(recorded, "cpi")
    assert (decoded.events, decoded.incomplete) == ((), "instruction 2 may be an event and cannot be read as one")


def test_instruction_data_that_is_not_base58_makes_it_incomplete() -> None:
    recorded = transaction(Call(VAULT, [emit_cpi(deposited(1))]))
    inner(recorded)[0]["data"] = "0OIl"
    assert decode(recorded, "cpi").incomplete == "instruction 1 may be an event and cannot be read as one"


def test_inner_instructions_of_no_instruction_make_it_incomplete() -> None:
    recorded = transaction(Call(VAULT))
    recorded["meta"]["innerInstructions"] = [{"index": 3, "instructions": []}]
    assert (
        decode(recorded).incomplete == "there are inner instructions of instruction 3, which the message does not have"
    )


def test_more_instructions_than_a_transaction_can_have_are_not_looked_at() -> None:
    recorded = transaction(Call(VAULT, [emit_cpi(deposited(1))]))
    recorded["meta"]["innerInstructions"][0]["instructions"] *= 100_000
    decoded = decode(recorded)
    assert (decoded.events, decoded.invoked) == ((), True)
    assert decoded.incomplete == "there are 100001 instructions, more than any transaction can have"


def test_a_flood_of_lines_takes_its_time_and_no_more() -> None:
    frame = Call(VAULT, [emit(deposited(1))], fails="failed: x").lines(depth=2)
    logs = [f"Program {VAULT} invoke [1]", *[emit(deposited(2))] * 65_536, *frame, f"Program {VAULT} success"]
    recorded = transaction(Call(VAULT, [Call(VAULT)]), logs=logs)
    assert len(decode(recorded).events) == 65_536
    logs.insert(1, emit(deposited(3)))
    decoded = decode(recorded)
    assert (decoded.events, decoded.incomplete) == (
        (),
        "logs do not fit the instructions: instruction 0 has more than 65536 data lines",
    )


# --- incomplete evidence


def truncated(recorded: dict[str, Any], at: int) -> dict[str, Any]:
    recorded["meta"]["logMessages"][at] = "Log truncated"
    return recorded


def test_after_truncation_no_log_line_is_trusted_and_self_calls_still_are() -> None:
    call = Call(VAULT, [emit(deposited(1)), "Program log: long", emit(deposited(2)), emit_cpi(deposited(3))])
    decoded = decode(truncated(transaction(call, Call(VAULT, [emit(deposited(4))])), 2))
    assert amounts(decoded) == [(place(0), "log", 1), (place(1), "cpi", 3)]
    assert decoded.incomplete == "logs are truncated"


@pytest.mark.parametrize("sources", ["cpi", "log", "both"])
def test_truncated_logs_matter_where_events_are_expected_in_logs(sources: Any) -> None:
    decoded = decode(truncated(transaction(Call(VAULT, [emit_cpi(deposited(1))])), 1), sources)
    assert (decoded.incomplete is None) == (sources == "cpi")


def test_truncated_logs_do_not_matter_where_we_were_not_invoked() -> None:
    assert decode(truncated(transaction(Call(ROUTER, ["Program log: a"], accounts=(VAULT,))), 1)).incomplete is None


def test_text_that_says_truncated_is_not_truncation() -> None:
    decoded = decode(transaction(Call(VAULT, ["Program log: Log truncated", emit(deposited(1))])))
    assert (len(decoded.events), decoded.incomplete) == (1, None)


@pytest.mark.parametrize(
    ("sources", "incomplete"), [("cpi", None), ("log", "logs are null"), ("both", "logs are null")]
)
def test_null_logs_are_unknown_not_empty(sources: Any, incomplete: str | None) -> None:
    recorded = transaction(Call(VAULT, [emit(deposited(1)), emit_cpi(deposited(2))]))
    recorded["meta"]["logMessages"] = None
    decoded = decode(recorded, sources)
    assert amounts(decoded) == [(place(1), "cpi", 2)]
    assert decoded.incomplete == incomplete


@pytest.mark.parametrize("sources", ["cpi", "log", "both"])
def test_null_inner_instructions_make_it_incomplete_and_prove_nothing(sources: Any) -> None:
    recorded = transaction(Call(VAULT, [emit(deposited(1)), emit_cpi(deposited(2))]))
    recorded["meta"]["innerInstructions"] = None
    decoded = decode(recorded, sources)
    assert (decoded.invoked, decoded.events, decoded.incomplete) == (True, (), "inner instructions are null")


def test_null_inner_instructions_may_hide_a_call_of_any_account() -> None:
    recorded = transaction(Call(ROUTER, [Call(VAULT)]))
    recorded["meta"] |= {"innerInstructions": None}
    assert decode(recorded).invoked
    recorded["meta"] |= {"logMessages": None}
    decoded = decode(recorded)
    assert (decoded.invoked, decoded.incomplete) == (False, "inner instructions are null")


def test_null_inner_instructions_cannot_hide_a_call_of_what_is_no_account() -> None:
    recorded = transaction(Call(ROUTER))
    recorded["meta"] |= {"innerInstructions": None, "logMessages": None}
    assert decode(recorded).incomplete is None


@pytest.mark.parametrize("sources", ["cpi", "log", "both"])
@pytest.mark.parametrize("err", [None, {"InstructionError": [0, {"Custom": 1}]}])
def test_an_empty_list_of_inner_instructions_is_not_believed_against_the_logs(sources: Any, err: object) -> None:
    recorded = transaction(Call(ROUTER, [Call(VAULT, [emit_cpi(deposited(1))])]), err=err)
    recorded["meta"]["innerInstructions"] = []
    decoded = decode(recorded, sources)
    assert (decoded.invoked, decoded.events) == (True, ())
    assert err or "logs do not fit the instructions" in (decoded.incomplete or "")


@pytest.mark.parametrize("sources", ["cpi", "log", "both"])
def test_inner_instructions_that_are_given_in_part_are_not_believed_against_the_logs(sources: Any) -> None:
    whole = transaction(Call(VAULT, [Call(TOKEN), emit_cpi(deposited(1))]), Call(VAULT, [emit_cpi(deposited(2))]))
    sets = whole["meta"]["innerInstructions"]
    for left in (sets[:1], sets[1:], [sets[0], {"index": 1, "instructions": []}], [{"index": 0, "instructions": []}]):
        recorded = whole | {"meta": whole["meta"] | {"innerInstructions": left}}
        assert "logs do not fit the instructions" in (decode(recorded, sources).incomplete or "")


@pytest.mark.parametrize("sources", ["cpi", "log", "both"])
@pytest.mark.parametrize("logs", [None, []])
def test_without_logs_and_inner_instructions_a_call_of_an_account_may_be_hidden(sources: Any, logs: Any) -> None:
    for recorded in (transaction(Call(ROUTER, [Call(VAULT)])), transaction(Call(VAULT, [emit_cpi(deposited(1))]))):
        recorded["meta"] |= {"innerInstructions": [], "logMessages": logs}
        assert decode(recorded, sources).incomplete


@pytest.mark.parametrize("sources", ["cpi", "log", "both"])
def test_an_empty_list_of_inner_instructions_needs_whole_logs_where_we_ran(sources: Any) -> None:
    recorded = transaction(Call(VAULT, [emit_cpi(deposited(1))]))
    recorded["meta"]["innerInstructions"] = []
    for logs in (None, [f"Program {VAULT} invoke [1]", "Log truncated"]):
        recorded["meta"]["logMessages"] = logs
        decoded = decode(recorded, sources)
        assert decoded.events == ()
        assert decoded.incomplete


@pytest.mark.parametrize("sources", ["cpi", "log", "both"])
def test_an_empty_list_of_inner_instructions_is_believed_where_nothing_speaks_against_it(sources: Any) -> None:
    for recorded in (transaction(Call(VAULT)), transaction(Call(VAULT, ["Program log: Program x invoke [2]"]))):
        recorded["meta"]["innerInstructions"] = []
        assert decode(recorded, sources).incomplete is None
    others = transaction(Call(ROUTER, [Call(TOKEN)], accounts=(VAULT,)))
    others["meta"]["innerInstructions"] = []
    assert decode(others, sources).incomplete is None


def test_without_meta_nothing_is_known() -> None:
    decoded = decode(transaction(Call(VAULT, [emit(deposited(1))])) | {"meta": None})
    assert (decoded.events, decoded.incomplete) == ((), "meta is null")


# --- logs against the instructions that ran


@pytest.mark.parametrize("silent", [True, False])
def test_precompiles_and_old_builtins_may_log_nothing(silent: bool) -> None:
    calls = (
        Call(ED25519, silent=True),
        Call(BUDGET, silent=silent),
        Call(VAULT, [emit(deposited(1))]),
        Call(ED25519, silent=True),
    )
    decoded = decode(transaction(*calls))
    assert amounts(decoded) == [(place(2), "log", 1)]
    assert decoded.incomplete is None


def without(recorded: dict[str, Any], line: int) -> dict[str, Any]:
    del recorded["meta"]["logMessages"][line]
    return recorded


@pytest.mark.parametrize(
    "logs",
    [
        [],
        Call(ROUTER).lines(),
        Call(VAULT, [emit(deposited(1))]).lines()[1:],
        Call(VAULT, [emit(deposited(1))]).lines()[:-1],
        Call(VAULT, [emit(deposited(1))]).lines() * 2,
        Call(VAULT, [emit(deposited(1))]).lines(depth=2),
        Call(VAULT, [Call(VAULT, [emit(deposited(1))])]).lines(),
        [*Call(VAULT, [emit(deposited(1))]).lines(), f"Program {VAULT} success"],
        [f"Program {VAULT} invoke [1]", emit(deposited(1)), f"Program {ROUTER} success"],
        [*Call(TOKEN).lines(), *Call(VAULT, [emit(deposited(1))]).lines()],
    ],
    ids=["none", "other", "unopened", "unclosed", "twice", "depth", "inner", "closed twice", "crossed", "before"],
)
def test_logs_that_do_not_fit_yield_nothing_and_say_so(logs: list[str]) -> None:
    decoded = decode(transaction(Call(VAULT), logs=logs))
    assert decoded.events == ()
    assert (decoded.incomplete or "").startswith("logs do not fit the instructions: ")


def test_an_inner_call_does_not_reach_into_the_next_instruction() -> None:
    recorded = transaction(Call(ROUTER), Call(BUDGET, [Call(VAULT)]))
    recorded["meta"]["logMessages"] = Call(ROUTER, [Call(VAULT, [emit(deposited(1))])]).lines()
    del inner(recorded)[0]["stackHeight"]
    assert decode(recorded).events == ()


def test_self_calls_are_trusted_where_the_logs_do_not_fit() -> None:
    decoded = decode(transaction(Call(VAULT, [emit_cpi(deposited(1))]), logs=["Program log: ?"]), "cpi")
    assert (amounts(decoded), decoded.incomplete) == ([(place(1), "cpi", 1)], None)


def test_lines_of_any_other_form_are_passed_over() -> None:
    odd = [
        "",
        "Program",
        "Program ",
        "Transfer: insufficient lamports 0, need 1",
        "héllo",
        "Program log:",
        "Program x success",
    ]
    odd += [
        "Program consumption: 5 units remaining",
        f"Program {VAULT} success ",
        f"Program {VAULT} invoke [0]",
        "\u2028",
    ]
    assert len(decode(transaction(Call(VAULT, [*odd, emit(deposited(1))]))).events) == 1


# --- frames that failed


def test_a_frame_that_failed_yields_nothing_and_neither_does_what_it_called() -> None:
    inside = Call(VAULT, [emit(deposited(2)), emit_cpi(deposited(3))])
    failing = Call(ROUTER, [inside, emit_cpi(deposited(4))], fails="failed: custom program error: 0x1")
    outside = Call(VAULT, [emit(deposited(1)), failing, emit(deposited(5)), emit_cpi(deposited(6))])
    for sources in ("cpi", "both"):
        decoded = decode(transaction(outside), sources)
        assert [amount for _, _, amount in amounts(decoded)] == [1, 5, 6]
        assert decoded.incomplete is None


# --- payloads

REMEDY = "take the IDL that `anchor build` or `anchor idl fetch` wrote"


def payload(data: bytes, idl: dict[str, Any] = IDL) -> tuple[list[Any], list[str]]:
    """What both ways of emitting make of it, which is the same."""
    log = decode(transaction(Call(VAULT, [emit(data)])), idl=idl)
    cpi = decode(transaction(Call(VAULT, [emit_cpi(data)])), idl=idl)
    assert [e.fields for e in log.events] == [e.fields for e in cpi.events]
    assert [(u.reason, u.data) for u in log.undecoded] == [(u.reason, u.data) for u in cpi.undecoded]
    assert all(one.data == data for one in log.undecoded)
    return [event.fields for event in log.events], [one.reason for one in log.undecoded]


def test_bytes_after_a_whole_event_are_accepted() -> None:
    assert payload(deposited(7) + b"more") == ([{"amount": 7}], [])


@pytest.mark.parametrize("size", range(16))
def test_a_short_payload_is_undecoded_with_its_bytes(size: int) -> None:
    events, reasons = payload(deposited(7)[:size])
    assert events == []
    assert reasons == ["unknown discriminator" if size < 8 else f"Deposited: {size} bytes are too short for it"]


def test_an_unknown_discriminator_is_undecoded() -> None:
    assert payload(b"?" * 20) == ([], ["unknown discriminator"])


@pytest.mark.parametrize("text", ["?", "AAA", "AAA\n", "AA AAAA", "A===", "AB==", "AAAA=", "\u00e9", "QUJD\u00a0"])
def test_a_line_that_is_not_base64_is_undecoded_without_data_and_keeps_its_number(text: str) -> None:
    decoded = decode(transaction(Call(VAULT, ["Program data: " + text, emit(deposited(1))])))
    assert [(one.ordinal, one.reason, one.data) for one in decoded.undecoded] == [(place(0, 0), "not base64", b"")]
    assert amounts(decoded) == [(place(0, 1), "log", 1)]


def test_slices_of_one_line_are_one_payload() -> None:
    decoded = decode(transaction(Call(VAULT, [emit(DEPOSITED, b"", b"\x07\0", bytes(6))])))
    assert [event.fields for event in decoded.events] == [{"amount": 7}]


def test_an_empty_line_is_an_empty_payload() -> None:
    decoded = decode(transaction(Call(VAULT, [emit(), emit(b"", b"")])))
    assert [(one.reason, one.data) for one in decoded.undecoded] == [("unknown discriminator", b"")] * 2


def discriminated(**discriminators: list[int]) -> dict[str, Any]:
    body = {"kind": "struct", "fields": [{"name": "n", "type": "u8"}]}
    return IDL | {
        "events": [{"name": name, "discriminator": octets} for name, octets in discriminators.items()],
        "types": [{"name": name, "type": body} for name in discriminators],
    }


def test_the_longest_discriminator_that_fits_wins() -> None:
    idl = discriminated(Empty=[], One=[1], Long=[1, 2, 3, 4, 5, 6, 7, 8, 9])
    data = bytes([1, 2, 3, 4, 5, 6, 7, 8])
    decoded = decode(
        transaction(Call(VAULT, [emit(data + b"\x09\x05"), emit(data), emit(b"\x09"), emit(b"")])), idl=idl
    )
    assert [(event.name, event.fields) for event in decoded.events] == [
        ("Long", {"n": 5}),
        ("One", {"n": 2}),
        ("Empty", {"n": 9}),
    ]
    assert [one.reason for one in decoded.undecoded] == ["Empty: 0 bytes are too short for it"]


def test_an_event_that_the_idl_does_not_explain_does_not_keep_others_from_being_read() -> None:
    idl = IDL | {"events": [*IDL["events"], {"name": "Odd", "discriminator": [9]}]}
    decoder = Decoder(idl_of(idl), VAULT)
    assert decoder.warnings == ("event Odd cannot be decoded: IDL: type Odd is used and not defined; " + REMEDY,)
    events, reasons = payload(b"\x09\x01", idl)
    assert (events, reasons) == ([], ["Odd: IDL: type Odd is used and not defined; " + REMEDY])
    assert payload(deposited(1), idl) == ([{"amount": 1}], [])


def test_an_idl_of_another_address_is_a_warning() -> None:
    assert Decoder(idl_of(IDL), ROUTER).warnings == (f"IDL is the IDL of {VAULT}, not of {ROUTER}",)
    assert Decoder(idl_of(IDL), VAULT).warnings == ()
    assert Decoder(idl_of(IDL | {"address": ""}), VAULT).warnings == ()


@pytest.mark.parametrize("program", ["", "vault", VAULT + "1", "0" * 44])
def test_a_program_that_is_no_address_is_refused(program: str) -> None:
    with pytest.raises(ProgramIdInvalid, match="no program's address"):
        Decoder(idl_of(IDL), program)
