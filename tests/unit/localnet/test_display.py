"""What a run tells people and programs."""

import io
import json

import pytest
from rich.console import Console

from localnet.display import JsonLines, PlainLines, status_line
from localnet.sample import Sample

FULL = Sample(
    slot=1_234,
    finalized_slot=1_203,
    stored=56,
    projected=55,
    complete_through_slot=1_200,
    vaults=5,
    tvl=1_234_567_899,
    decimals=6,
)


def test_what_is_not_known_yet_is_a_dash() -> None:
    assert status_line(Sample(), 0) == "slot -  stored -  projected -  vaults -  TVL -  lag - slots  sent 0 tx"


def test_tvl_is_shown_in_whole_tokens_and_never_rounded_up() -> None:
    expected = "slot 1,234  stored 56  projected 55  vaults 5  TVL 1,234.56  lag 3 slots  sent 9 tx"
    assert status_line(FULL, 9) == expected


def test_plain_lines_come_every_few_seconds_and_without_colours() -> None:
    out = io.StringIO()
    lines = PlainLines(Console(file=out, highlight=False, soft_wrap=True))

    for second in (0.0, 1.0, 4.9, 5.0):
        lines.status(FULL, 9, second)

    assert out.getvalue() == 2 * (status_line(FULL, 9) + "\n")


def test_json_lines_carry_amounts_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    JsonLines().status(FULL, 9, 1.0)

    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["tvl"], line["lagSlots"], line["sent"]) == ("status", 1_234_567_899, 3, 9)
