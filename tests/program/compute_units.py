"""What each instruction may cost: the committed figures, and what it does cost."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.program.anchor_idl import AnchorIdl
from tests.program.breaks import programs_listed
from tests.program.scene import IDLS, POSITIONS, SET_UP, VAULTS, Scene
from tests.program.vault_svm import ROOT

FIGURES = Path(__file__).with_suffix(".json")
KEYS = 40
"""Sets of keys that the span of costs was measured with."""
KEYS_OF_A_SCENE_MAX = 1_000


def committed() -> dict[str, dict[str, int]]:
    """Compute units by instruction: `usual`, `full`, and `least` and `most` with other keys."""
    figures: dict[str, dict[str, int]] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return figures


def usual(instruction: str, first_key: int = 0) -> int:
    """With one program listed; and with the same keys every time, so that looking for a bump takes as long."""
    return Scene(instruction, first_key=first_key).call().result.compute_units_consumed()


def full(instruction: str) -> int:
    """With as many programs listed as can be."""
    scene = Scene(instruction)
    if instruction not in SET_UP:
        programs_listed(9 if instruction == "add_authorized_program" else 10)(scene)
    return scene.call().result.compute_units_consumed()


GUARDED: dict[str, Callable[[str], int]] = {"usual": usual, "full": full}


def comparable() -> bool:
    """The programs have the ids that the figures were measured with: other ids have other bumps."""
    names = {"vault_manager": VAULTS, "position_manager": POSITIONS}
    ours = {name: AnchorIdl(ROOT / "programs" / "artifacts" / f"{name}.json").program for name in names}
    return ours == {name: idl.program for name, idl in names.items()}


def commit() -> None:
    figures = {}
    for instruction in IDLS:
        span = [usual(instruction, KEYS_OF_A_SCENE_MAX * keys) for keys in range(1, KEYS + 1)]
        guarded = {name: measure(instruction) for name, measure in GUARDED.items()}
        figures[instruction] = guarded | {"least": min(span), "most": max(span)}
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
