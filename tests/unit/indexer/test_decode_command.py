"""`vault-indexer decode`: what goes in, what comes out, what is said on the way."""

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from indexer import decode_command
from indexer.decode import ProgramIdInvalid
from indexer.decode_command import plain, run_decode
from indexer.idl import IdlInvalid
from tests.unit.indexer.recorded import IDL, ROUTER, VAULT, Call, deposited, emit, emit_cpi, transaction


class Run:
    def __init__(self, tmp_path: Path, idl: dict[str, Any] = IDL, program: str = VAULT) -> None:
        self.idl = tmp_path / "idl.json"
        self.idl.write_bytes(msgspec.json.encode(idl))
        self.program = program

    def __call__(self, *lines: bytes) -> tuple[int, list[bytes], str]:
        out, err = io.BytesIO(), io.StringIO()
        status = run_decode(self.idl, self.program, io.BytesIO(b"\n".join(lines)), out, err)
        return status, out.getvalue().splitlines(), err.getvalue()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def line(*calls: Call, **changes: Any) -> bytes:
    return msgspec.json.encode(transaction(*calls) | changes)


def test_each_event_is_a_line(run: Run) -> None:
    call = Call(ROUTER, [Call(VAULT, [emit(deposited(2**64 - 1)), emit_cpi(deposited(1))])])
    assert run(line(call)) == (
        0,
        [
            b'{"signature":"signature","slot":5,"ordinal":65536,"name":"Deposited","source":"log",'
            b'"fields":{"amount":"18446744073709551615"}}',
            b'{"signature":"signature","slot":5,"ordinal":131072,"name":"Deposited","source":"cpi","fields":{"amount":"1"}}',
        ],
        "",
    )


def test_what_is_undecoded_stands_in_its_place(run: Run) -> None:
    call = Call(VAULT, [emit(b"abc"), emit(deposited(1)), "Program data: ?", emit_cpi(b"?")])
    status, rows, _ = run(line(call))
    assert status == 0
    assert rows == [
        b'{"signature":"signature","slot":5,"ordinal":0,"undecoded":"unknown discriminator","data":"YWJj"}',
        b'{"signature":"signature","slot":5,"ordinal":1,"name":"Deposited","source":"log","fields":{"amount":"1"}}',
        b'{"signature":"signature","slot":5,"ordinal":2,"undecoded":"not base64","data":""}',
        b'{"signature":"signature","slot":5,"ordinal":65536,"undecoded":"unknown discriminator","data":"Pw=="}',
    ]


def test_a_failure_is_one_line(run: Run) -> None:
    failed = transaction(
        Call(VAULT, [emit(deposited(1))], fails="failed: custom program error: 0x1770"),
        err={"InstructionError": [0, {"Custom": 6000}]},
    )
    assert run(msgspec.json.encode(failed)) == (
        0,
        [
            b'{"signature":"signature","slot":5,"failed":{"error":{"InstructionError":[0,{"Custom":6000}]},'
            b'"code":6000,"name":"Insufficient","message":"not enough"}}'
        ],
        "",
    )


def test_what_is_incomplete_says_so_after_its_events(run: Run) -> None:
    recorded = transaction(Call(VAULT, [emit_cpi(deposited(1)), "Program log: long"]))
    recorded["meta"]["logMessages"][-3] = "Log truncated"
    _, rows, _ = run(msgspec.json.encode(recorded))
    assert rows[1:] == [b'{"signature":"signature","slot":5,"incomplete":"logs are truncated"}']
    assert b'"source":"cpi"' in rows[0]


def test_transactions_that_did_not_invoke_the_program_give_no_line(run: Run) -> None:
    assert run(line(Call(ROUTER)), line(Call(ROUTER, accounts=(VAULT,)))) == (0, [], "")


def test_an_envelope_gives_what_the_bare_result_gives(run: Run) -> None:
    bare = line(Call(VAULT, [emit(deposited(1))]))
    envelopes = [
        b'{"jsonrpc":"2.0","result":' + bare + b',"id":1}',
        b' {"id": 1, "result": ' + bare + b"}\r",
    ]
    assert len(run(bare)[1]) == 1
    assert run(*envelopes) == (0, run(bare)[1] * 2, "")


def test_a_recording_without_a_slot_has_null_for_it(run: Run) -> None:
    _, rows, _ = run(line(Call(VAULT, [emit(deposited(1))]), slot=None))
    assert msgspec.json.decode(rows[0])["slot"] is None


@pytest.mark.parametrize(
    "bad",
    [
        b"no json",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b"1",
        b'"\xff"',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"jsonrpc":"2.0","result":null,"id":1}',
        b'{"jsonrpc":"2.0","error":{"code":-32004,"message":"x"},"id":1}',
        b'{"jsonrpc":"2.0","result":{"slot":1},"id":1}',
        b'{"slot":1,"meta":{},"transaction":{}}',
        b'{"slot":1,"meta":{"err":null},"transaction":["AA==","base64"]}',
        b'{"result":' + b"[" * 100_000,
        line(Call(VAULT)) + b"x",
        line(Call(VAULT)) + line(Call(VAULT)),
        line(Call(VAULT), slot=-1),
        line(Call(VAULT), slot="5"),
        line(Call(VAULT), meta={"logMessages": []}),
        line(Call(VAULT), transaction={"signatures": [], "message": {"accountKeys": ["a"], "instructions": []}}),
    ],
    ids=lambda bad: str(bad[:60]),
)
def test_a_line_that_is_no_transaction_is_named_by_number_and_the_rest_goes_on(run: Run, bad: bytes) -> None:
    good = line(Call(VAULT, [emit(deposited(1))]))
    status, rows, said = run(good, b"", b" \t", bad, good)
    assert status == 1
    assert len(rows) == 2
    assert said.startswith("line 4: not a getTransaction result")
    assert said.count("\n") == 1


def test_blank_lines_and_no_lines_are_nothing(run: Run) -> None:
    assert run() == (0, [], "")
    assert run(b"", b"  ", b"\r", b"") == (0, [], "")


def test_a_line_that_is_too_long_is_not_held_and_the_rest_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    good = line(Call(VAULT, [emit(deposited(1))]))
    monkeypatch.setattr(decode_command, "LINE_BYTES_MAX", len(good) + 1)
    for length in range(len(good) + 1, 4 * len(good)):
        status, rows, said = run(good, good.ljust(length), good)
        assert (status, len(rows)) == ((1, 2) if length > len(good) else (0, 3)), length
        assert said.startswith("line 2: ")


def test_an_idl_of_another_address_is_a_warning_and_no_more(tmp_path: Path) -> None:
    run = Run(tmp_path, IDL | {"address": ROUTER})
    status, rows, said = run(line(Call(VAULT, [emit(deposited(1))])))
    assert (status, len(rows)) == (0, 1)
    assert said == f"warning: {run.idl} is the IDL of {ROUTER}, not of {VAULT}\n"


def test_a_bad_idl_and_a_bad_program_stop_at_once(tmp_path: Path) -> None:
    with pytest.raises(IdlInvalid):
        Run(tmp_path, {})()
    with pytest.raises(ProgramIdInvalid):
        Run(tmp_path, program="vault")()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (None, None),
        (-(2**255), str(-(2**255))),
        ([1, [2]], ["1", ["2"]]),
        (b"\x00\xff", "00ff"),
        (b"", ""),
        ("é", "é"),
        (1.5, 1.5),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        ({"At": [1, {"n": False}]}, {"At": ["1", {"n": False}]}),
        ({"Long": {}}, {"Long": {}}),
    ],
    ids=str,
)
def test_values_are_written_so_that_every_reader_reads_them_alike(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)
