"""What each instruction may cost: the committed figures, and what it does cost."""

import json
from pathlib import Path

from tests.program.scene import IDLS, Scene

FIGURES = Path(__file__).with_suffix(".json")


def committed() -> dict[str, int]:
    """Compute units, by instruction."""
    figures: dict[str, int] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return figures


def measured(instruction: str) -> int:
    """With the same keys every time, so that looking for a bump takes as long."""
    return Scene(instruction).call().result.compute_units_consumed()


def commit() -> None:
    figures = {instruction: measured(instruction) for instruction in IDLS}
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
