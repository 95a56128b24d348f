"""Whom to tell of a weakness can be read in the programs' bytes."""

import pytest

from tests.program.vault_svm import PROGRAMS

BEGIN, END = b"=======BEGIN SECURITY.TXT V1=======\0", b"=======END SECURITY.TXT V1=======\0"


@pytest.mark.parametrize("name", ["vault-manager", "position-manager"])
def test_both_programs_have_a_security_txt_with_all_that_it_must_have(name: str) -> None:
    program = (PROGRAMS / f"{name.replace('-', '_')}.so").read_bytes()
    text = program[program.index(BEGIN) + len(BEGIN) : program.index(END)]
    parts = text.decode().rstrip("\0").split("\0")
    fields = dict(zip(parts[::2], parts[1::2], strict=True))
    assert fields["name"] == name
    assert {"project_url", "contacts", "policy"} <= fields.keys()
    assert all(fields.values())
