"""Each wrong call of the table is refused by its name and changes nothing; and the table forgets none."""

import pytest

from tests.program import breaks
from tests.program.breaks import Break
from tests.program.chain import refused
from tests.program.refusals import REFUSALS
from tests.program.scene import IDLS, POSITIONS, VAULTS, Scene
from tests.program.wrong_accounts import STRANGE_PROGRAM, always

CASES = [
    pytest.param(instruction, broken, refusal.error, id=f"{instruction}: {refusal.wrong} ({what})")
    for refusal in REFUSALS
    for (instruction, what), broken in refusal.cases.items()
]


@pytest.mark.parametrize("instruction", IDLS)
def test_a_call_that_is_not_broken_succeeds(instruction: str) -> None:
    Scene(instruction).call()


@pytest.mark.parametrize(("instruction", "broken", "error"), CASES)
def test_a_broken_call_is_refused_by_name_and_changes_nothing(instruction: str, broken: Break, error: str) -> None:
    """A name that the called program has among its errors is its own word, though others that it calls have it too."""
    scene, called = Scene(instruction), IDLS[instruction]
    broken(scene)
    with refused(error, by=called.program if error in called.errors.values() else None):
        scene.call()


@pytest.mark.parametrize(
    ("instruction", "broken", "error"),
    [
        ("open_position", breaks.of_another_program("vault"), "AccountOwnedByWrongProgram"),
        ("close_position", breaks.of_another_program("vault"), "AccountOwnedByWrongProgram"),
        ("settle_position", breaks.of_another_program("from_vault"), "AccountOwnedByWrongProgram"),
        ("settle_position", breaks.instead("token_program", always(STRANGE_PROGRAM)), "InvalidProgramId"),
    ],
)
def test_what_the_position_manager_names_it_checks_before_it_calls(instruction: str, broken: Break, error: str) -> None:
    """The vault-manager would refuse the same where it is called, but to close a position without margin it is not."""
    scene = Scene(instruction)
    broken(scene)
    with refused(error, by=POSITIONS.program):
        scene.call()


def test_every_named_error_of_both_programs_refuses_something() -> None:
    named = {name for idl in (VAULTS, POSITIONS) for name in idl.errors.values()}
    assert named <= {refusal.error for refusal in REFUSALS}


# Where the account is right, and what the call says of it wrong.
BY_FLAG = {"AccountNotSigner", "ConstraintMut", "PrivilegeEscalation"}
# Accounts and arguments of which anything is accepted.
FREE = {
    ("initialize_authority", "program"),  # passed twice, once under another name
    ("propose_admin", "new_admin"),
    ("propose_settlement_admin", "new_admin"),
}


def test_every_account_and_argument_of_every_instruction_is_wrong_in_some_case() -> None:
    by_place = [refusal for refusal in REFUSALS if refusal.error not in BY_FLAG]
    tried = {case for refusal in by_place for case in refusal.cases}
    missing = {
        (name, what)
        for name, idl in IDLS.items()
        for what in (*idl.accounts_of(name), *idl.arguments_of(name))
        if (name, what) not in tried
    }
    assert missing == FREE
