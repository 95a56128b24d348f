"""Whom to tell of a weakness can be read in the program's bytes."""

from tests.program.vault_svm import PROGRAMS

BEGIN, END = b"=======BEGIN SECURITY.TXT V1=======\0", b"=======END SECURITY.TXT V1=======\0"


def test_the_vault_manager_has_a_security_txt_with_all_that_it_must_have() -> None:
    program = (PROGRAMS / "vault_manager.so").read_bytes()
    text = program[program.index(BEGIN) + len(BEGIN) : program.index(END)]
    parts = text.decode().rstrip("\0").split("\0")
    fields = dict(zip(parts[::2], parts[1::2], strict=True))
    assert fields["name"] == "vault-manager"
    assert {"project_url", "contacts", "policy"} <= fields.keys()
    assert all(fields.values())
