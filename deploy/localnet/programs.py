"""Both programs as they are committed: address, code and IDL."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from solders.pubkey import Pubkey

from localnet.anchor_idl import AnchorIdl
from localnet.errors import ProgramsMissing

ARTIFACTS = Path(__file__).resolve().parents[2] / "programs" / "artifacts"


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    idl: AnchorIdl
    code: bytes
    """The ELF file."""

    @property
    def address(self) -> Pubkey:
        return self.idl.program


def folder() -> Path:
    """The committed programs, or those of VAULT_PROGRAMS_DIR: where continuous integration has a fresh build."""
    return Path(os.environ.get("VAULT_PROGRAMS_DIR") or ARTIFACTS).resolve()


def load(name: str, folder: Path) -> Program:
    """`vault_manager` or `position_manager`."""
    try:
        code = (folder / f"{name}.so").read_bytes()
        return Program(name=name, idl=AnchorIdl((folder / f"{name}.json").read_bytes()), code=code)
    except FileNotFoundError as error:
        raise ProgramsMissing(str(error.filename)) from error


@cache
def vault_manager() -> Program:
    return load("vault_manager", folder())


@cache
def position_manager() -> Program:
    return load("position_manager", folder())
