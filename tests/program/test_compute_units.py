"""No instruction grows dearer unnoticed."""

import pytest

from tests.program.compute_units import committed, measured
from tests.program.scene import IDLS


@pytest.mark.parametrize("instruction", IDLS)
def test_an_instruction_costs_at_most_a_twentieth_more_than_its_committed_figure(instruction: str) -> None:
    assert measured(instruction) <= committed()[instruction] * 1.05


def test_measuring_twice_gives_the_same() -> None:
    assert measured("initialize_vault") == measured("initialize_vault")
