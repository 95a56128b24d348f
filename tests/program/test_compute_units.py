"""No instruction grows dearer unnoticed."""

import pytest

from tests.program.compute_units import GUARDED, committed, comparable, usual
from tests.program.scene import IDLS

pytestmark = pytest.mark.skipif(not comparable(), reason="the figures are of the committed programs' ids")


@pytest.mark.parametrize("instruction", IDLS)
@pytest.mark.parametrize("figure", GUARDED)
def test_an_instruction_costs_at_most_a_twentieth_more_than_its_committed_figure(figure: str, instruction: str) -> None:
    assert GUARDED[figure](instruction) <= committed()[instruction][figure] * 1.05


def test_measuring_twice_gives_the_same() -> None:
    assert usual("initialize_vault") == usual("initialize_vault")
