"""What a failed transaction becomes: never events, and the program's error where it is the program's."""

from typing import Any

import msgspec
import pytest

from indexer.decode import Failed
from tests.unit.indexer.recorded import (
    ED25519,
    ROUTER,
    TOKEN,
    VAULT,
    Call,
    decode,
    deposited,
    emit,
    emit_cpi,
    transaction,
)

ERROR = "failed: custom program error: 0x1770"


def custom(code: object, instruction: object = 0) -> dict[str, Any]:
    return {"InstructionError": [instruction, {"Custom": code}]}


def failure(recorded: dict[str, Any]) -> tuple[int | None, str | None, str | None]:
    decoded = decode(recorded)
    assert decoded.failed is not None
    assert (decoded.events, decoded.undecoded, decoded.incomplete) == ((), (), None)
    assert msgspec.json.decode(decoded.failed.error) == recorded["meta"]["err"]
    return decoded.failed.code, decoded.failed.name, decoded.failed.message


def test_a_failed_transaction_has_no_events_and_names_the_error() -> None:
    call = Call(VAULT, [emit(deposited(1)), emit(b"?"), emit_cpi(deposited(2))], fails=ERROR)
    assert failure(transaction(call, err=custom(6000))) == (6000, "Insufficient", "not enough")


def test_an_error_without_a_message_has_none() -> None:
    assert failure(transaction(Call(VAULT, fails=ERROR), err=custom(6001))) == (6001, "Paused", None)


def test_an_error_that_the_idl_does_not_have_keeps_its_code() -> None:
    assert failure(transaction(Call(VAULT, fails=ERROR), err=custom(2001))) == (2001, None, None)


@pytest.mark.parametrize(
    "err",
    [
        "AccountInUse",
        {"InstructionError": [0, "ComputationalBudgetExceeded"]},
        {"InstructionError": [0, {"BorshIoError": "x"}]},
        {"InsufficientFundsForRent": {"account_index": 1}},
        {"NewKindOfError": [[[]]]},
        custom(None),
        custom(True),
        custom("6000"),
        custom(6000, "0"),
        {"InstructionError": []},
        17,
        [],
        False,
    ],
    ids=str,
)
def test_an_error_that_is_not_custom_is_kept_as_it_came(err: object) -> None:
    assert failure(transaction(Call(VAULT, fails="failed: x"), err=err)) == (None, None, None)


def test_an_error_is_kept_to_the_letter() -> None:
    raw = msgspec.json.encode(transaction(Call(VAULT), err=0)).replace(b'"err":0', b'"err":{ "A" : 1.50 }')
    decoded = decode(msgspec.json.decode(raw) | {"meta": msgspec.Raw(raw_meta(raw))})
    assert decoded.failed == Failed(msgspec.Raw(b'{ "A" : 1.50 }'), None, None, None)


def raw_meta(raw: bytes) -> bytes:
    return bytes(msgspec.json.decode(raw, type=dict[str, msgspec.Raw])["meta"])


def test_our_error_is_named_when_others_had_called_us() -> None:
    call = Call(ROUTER, [Call(VAULT, fails=ERROR)], fails=ERROR)
    assert failure(transaction(call, err=custom(6000))) == (6000, "Insufficient", "not enough")


def test_anothers_error_is_not_given_our_name() -> None:
    ours_first = Call(VAULT, [Call(TOKEN, fails=ERROR)], fails=ERROR)
    assert failure(transaction(ours_first, err=custom(6000))) == (6000, None, None)
    other_instruction = transaction(Call(VAULT), Call(ROUTER, fails=ERROR), err=custom(6000, 1))
    assert failure(other_instruction) == (6000, None, None)


def test_without_logs_an_error_is_ours_if_nobody_else_can_have_failed_so() -> None:
    alone = transaction(Call(ED25519, silent=True), Call(VAULT, [emit_cpi(deposited(1))]), err=custom(6000, 1))
    with_token = transaction(Call(VAULT, [Call(TOKEN)]), err=custom(6000))
    with_another = transaction(Call(VAULT, [Call(ROUTER)]), err=custom(6000))
    out_of_range = transaction(Call(VAULT), err=custom(6000, 7))
    named = (alone, "Insufficient"), (with_token, "Insufficient"), (with_another, None), (out_of_range, None)
    for recorded, name in named:
        recorded["meta"]["logMessages"] = None
        assert failure(recorded) == (6000, name, "not enough" if name else None)


def test_truncated_logs_do_not_name_the_culprit() -> None:
    recorded = transaction(Call(VAULT, [Call(ROUTER)], fails=ERROR), err=custom(6000))
    recorded["meta"]["logMessages"][1] = "Log truncated"
    assert failure(recorded) == (6000, None, None)


def test_a_failure_that_did_not_invoke_us_is_none_of_ours() -> None:
    decoded = decode(transaction(Call(ROUTER, accounts=(VAULT,), fails=ERROR), err=custom(6000)))
    assert (decoded.invoked, decoded.failed, decoded.incomplete) == (False, None, None)


def test_a_failure_of_which_it_is_not_known_whether_it_invoked_us_is_incomplete() -> None:
    recorded = transaction(Call(ROUTER, accounts=(VAULT,), fails=ERROR), err=custom(6000))
    recorded["meta"]["innerInstructions"] = None
    decoded = decode(recorded)
    assert (decoded.failed, decoded.incomplete) == (None, "inner instructions are null")
