"""Real mainnet transactions, and what Anchor's own coder makes of them."""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from indexer.decode import Decoder
from indexer.decode_command import NumberedLine, plain, recorded_transaction
from indexer.idl_file import load_idl
from indexer.transaction import parse_transaction

CORPUS = Path(os.environ.get("VAULT_CORPUS") or Path(__file__).parents[3].parent / "shared" / "corpus")
PROGRAMS = {
    "drift_v2": "dRiftyHA39MWEi3m9aunc5MzRF1JYuBsbn6VPcn33UH",
    "drift_v2__legacyidl": "dRiftyHA39MWEi3m9aunc5MzRF1JYuBsbn6VPcn33UH",
    "jupiter_dca": "DCA265Vj8a9CEuX1eb1LWRnDT7uK6q1xMipnNyatn23M",
    "jupiter_v4": "JUP4Fb2cqiRUcaTHdrPC8h2gNsA2ETXiPDD33WcGuJB",
    "marginfi_v2": "MFv2hWf31Z9kbCa1snEPYctwafyhdvnV7FZnsebVacA",
}


class Case(NamedTuple):
    folder: Path
    name: str

    @property
    def program(self) -> str:
        """Of the idl.json where it has one."""
        return load_idl(self.folder / "idl.json").address or PROGRAMS[self.folder.name]

    def recorded(self) -> bytes:
        return (self.folder / "transactions" / self.name).read_bytes()

    def expected(self) -> list[dict[str, Any]]:
        """Without text logs, which we take for no events: any text that a program logs could be one."""
        events = msgspec.json.decode((self.folder / "expected" / self.name).read_bytes())
        return [event for event in events if event.get("carrier") != "Program log"]


CASES = [Case(path.parent.parent, path.name) for path in sorted(CORPUS.glob("*/transactions/*.json"))]
WHOLE = [case for case in CASES if not case.name.startswith("logsonly_")]
ABSENT = pytest.param(None, marks=pytest.mark.skip(f"no transactions in {CORPUS}: set VAULT_CORPUS to the corpus"))


@pytest.mark.parametrize("case", WHOLE or [ABSENT], ids=str)
def test_events_are_those_that_anchors_coder_finds(case: Case) -> None:
    decoder = Decoder(load_idl(case.folder / "idl.json"), case.program, event_sources="both")
    transaction = recorded_transaction(NumberedLine(1, case.recorded(), whole=True))
    decoded = decoder.decode(transaction)
    assert decoded.undecoded == ()
    assert transaction.meta is not None
    if transaction.meta.failed:
        assert decoded.events == ()
        assert decoded.failed is not None
        assert decoded.failed.name is not None
        return
    found = [{"name": one.name, "source": one.source, "fields": plain(one.fields)} for one in decoded.events]
    expected = [{key: one[key] for key in ("name", "source", "fields")} for one in case.expected()]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert [one.ordinal for one in decoded.events] == sorted({one.ordinal for one in decoded.events})
    assert (
        decoded.incomplete is None or case.folder.name == "jupiter_limit_v2"
    )  # recorded without its logs' instructions


@pytest.mark.parametrize("case", CASES or [ABSENT], ids=str)
def test_log_events_would_be_found_had_the_transaction_succeeded(case: Case) -> None:
    document = msgspec.json.decode(case.recorded())
    logs = [re.sub(FAILED, r"\1 success", line) for line in document.get("result", document)["meta"]["logMessages"]]
    transaction = parse_transaction(msgspec.json.encode(transaction_of(logs)))
    decoded = Decoder(load_idl(case.folder / "idl.json"), case.program, event_sources="log").decode(transaction)
    expected = [event for event in case.expected() if event["source"] == "log"]
    assert [(one.name, plain(one.fields)) for one in decoded.events] == [
        (one["name"], one["fields"]) for one in expected
    ]
    assert decoded.incomplete is None


FAILED = r"^(Program \w{32,44}) failed: .*$"


def transaction_of(logs: list[str]) -> dict[str, Any]:
    """One that ran just what these logs say."""
    calls = [match.groups() for line in logs if (match := re.match(r"^Program (\w{32,44}) invoke \[(\d+)\]$", line))]
    keys = list(dict.fromkeys(program for program, _ in calls))
    instructions: list[dict[str, Any]] = []
    inner: list[dict[str, Any]] = []
    for program, depth in calls:
        if depth == "1":
            inner.append({"index": len(instructions), "instructions": []})
            instructions.append({"programIdIndex": keys.index(program)})
        else:
            inner[-1]["instructions"].append({"programIdIndex": keys.index(program), "stackHeight": int(depth)})
    return {
        "slot": 1,
        "meta": {"err": None, "logMessages": logs, "innerInstructions": inner},
        "transaction": {"signatures": ["s"], "message": {"accountKeys": keys, "instructions": instructions}},
    }
