"""Writes the parts of docs/program.md that the programs and tests tell: `python -m tests.program.document`."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from solders.account import Account

from tests.program import compute_units
from tests.program.anchor_idl import AnchorIdl
from tests.program.refusals import REFUSALS
from tests.program.scene import POSITIONS, VAULTS, Scene

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "program.md"
LAMPORTS_PER_SOL = 10**9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="first commit to the compute units that are used now")
    if parser.parse_args().measure:
        compute_units.commit()
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def renewed(text: str) -> str:
    """What stands between `<!-- NAME, generated -->` and `<!-- end -->` is written anew, for each part there is."""
    for name, part in PARTS.items():
        begin, end = f"<!-- {name}, generated -->\n", "\n<!-- end -->"
        assert begin in text, f"docs/program.md has no place for {name}"
        before, rest = text.split(begin, 1)
        text = f"{before}{begin}\n{part()}\n{rest[rest.index(end) :]}"
    return text


def errors() -> str:
    """Both programs count from the same number."""
    return "\n\n".join(
        table(
            [f"{program}", "error", "it says"],
            [(code, f"`{name}`", idl.messages[code]) for code, name in idl.errors.items()],
        )
        for program, idl in (("vault-manager", VAULTS), ("position-manager", POSITIONS))
    )


def refusals() -> str:
    return f"{refusals_of(VAULTS)}\n\n{refusals_of(POSITIONS)}"


def refusals_of(idl: AnchorIdl) -> str:
    """● where there is at least one test of it."""
    rows = []
    for refusal in REFUSALS:
        tested = {instruction for instruction, _ in refusal.cases}
        if tested & set(idl.instructions):
            marks = ("●" if name in tested else "" for name in idl.instructions)
            rows.append((refusal.wrong, f"`{refusal.error}`", *marks))
    short = (re.sub("_(authorized|collateral)", "", name).replace("_", " ") for name in idl.instructions)
    return table(["what is wrong", "refused by", *short], rows)


def units() -> str:
    rows = [
        (f"`{name}`", f"{of['usual']:,}", f"{of['full']:,}", f"{of['least']:,}", f"{of['most']:,}")
        for name, of in compute_units.committed().items()
    ]
    return table(["instruction", "one program listed", "ten listed", "other keys: least", "most"], rows)


def sizes() -> str:
    scene = Scene("settle_position")
    accounts = {
        "`VaultAuthority`": ("vault_authority", "the upgrade authority, once"),
        "`CollateralVault`": ("from_vault", "the owner"),
        "the vault's token account": ("from_token_account", "the owner, unless it is there already"),
        "`Config`": ("config", "the upgrade authority, once"),
        "`Position`": ("position", "the owner, who gets it back at the end"),
    }
    rows = [(name, *size(scene, scene.read(account)), payer) for name, (account, payer) in accounts.items()]
    return table(["account", "bytes", "spare", "rent in SOL", "paid by"], rows)


def size(scene: Scene, account: Account) -> tuple[int, int, str]:
    """Bytes, those of them that are spare, and the deposit that keeps the account alive."""
    spare = sum(
        len(idl.account(idl.account_name(account.data), account.data)["reserved"])
        for idl in (VAULTS, POSITIONS)
        if idl.program == account.owner
    )
    rent = scene.svm.svm.minimum_balance_for_rent_exemption(len(account.data))
    return len(account.data), spare, f"{rent / LAMPORTS_PER_SOL:.8f}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


PARTS: dict[str, Callable[[], str]] = {"errors": errors, "refusals": refusals, "sizes": sizes, "compute units": units}

if __name__ == "__main__":
    sys.exit(main())
