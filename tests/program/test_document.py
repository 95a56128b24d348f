"""What the pages say of the programs is what they are."""

import re

from tests.program.document import DOCUMENT, renewed
from tests.program.vault_svm import ROOT

REMEDY = "run `python -m tests.program.document` and commit docs/program.md"
CRATE = ROOT / "programs" / "position-manager"


def test_the_generated_parts_are_up_to_date() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(written) == written, REMEDY


def test_every_piece_of_code_for_integrators_stands_in_the_sources() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in [CRATE / "Cargo.toml", *CRATE.rglob("*.rs")])
    pieces = re.findall(r"```\w+\n(.*?)```", (CRATE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(pieces) == 6
    assert [piece for piece in pieces if piece not in sources] == []
