"""What the pages say of the programs is what they are."""

import re
import tomllib

from tests.program.document import DOCUMENT, renewed
from tests.program.vault_svm import ROOT

REMEDY = "run `python -m tests.program.document` and commit docs/program.md"
CRATE = ROOT / "programs" / "position-manager"


def test_the_generated_parts_are_up_to_date() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(written) == written, REMEDY


def pieces(language: str) -> list[str]:
    """Of code for integrators."""
    return re.findall(rf"```{language}\n(.*?)```", (CRATE / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_every_piece_of_code_for_integrators_stands_in_the_sources() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in CRATE.rglob("*.rs"))
    assert len(pieces("rust")) == 6
    assert [piece for piece in pieces("rust") if piece not in sources] == []


def test_integrators_depend_on_the_vault_manager_as_we_do_but_for_where_it_comes_from() -> None:
    [piece] = pieces("toml")
    theirs = tomllib.loads(piece)["vault-manager"]
    ours = tomllib.loads((CRATE / "Cargo.toml").read_text(encoding="utf-8"))["dependencies"]["vault-manager"]
    assert theirs == {"git": "URL", "rev": "COMMIT"} | {name: it for name, it in ours.items() if name != "path"}
