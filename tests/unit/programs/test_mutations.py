"""Every check in the programs' sources has a mutant that lacks it."""

from pathlib import Path

import pytest

from programs.mutate import mutants
from programs.mutations import mutations_of, without_words

ROOT = Path(__file__).parents[3]
SOURCES = [
    path for crate in ("vault-manager", "position-manager") for path in (ROOT / "programs" / crate).rglob("src/**/*.rs")
]

WITHDRAW = """
    #[account(
        mut,
        seeds = [SEED, vault.owner.as_ref()],
        bump = vault.bump,
        has_one = owner @ Error::WrongOwner, // not, as one could think, has_one = thief
    )]
    pub vault: Account<'info, Vault>,

    pub owner: Signer<'info>,

    fn pay(&mut self, amount: u64) -> Result<()> {
        require!(amount > 0, Error::Zero);
        self.left = self
            .left
            .checked_sub(amount)
            .ok_or(Error::TooMuch)?;
        self.invariant()
    }
"""


def mutated(name: str) -> str:
    [mutation] = [mutation for mutation in mutations_of(WITHDRAW) if mutation.name == name]
    return " ".join(mutation.apply(WITHDRAW).split())


def test_a_constraint_goes_and_the_others_stay() -> None:
    text = mutated("vault without `has_one = owner @ Error::WrongOwner`")
    assert "mut, seeds = [SEED, vault.owner.as_ref()], bump = vault.bump, // not" in text
    assert "has_one = owner" not in text


def test_seeds_go_together_with_the_bump() -> None:
    text = mutated("vault at any address")
    assert "mut, has_one = owner @ Error::WrongOwner," in text


def test_a_signer_becomes_an_account_that_nobody_looks_at() -> None:
    assert "pub owner: UncheckedAccount<'info>," in mutated("owner is no Signer")


def test_a_subtraction_goes_below_zero() -> None:
    text = mutated("wrapping `self.left = self.left.checked_sub(amount).ok_or(Error::TooMuch)?`")
    assert ".left .wrapping_sub(amount).checked_add(0) .ok_or(Error::TooMuch)?;" in text


def test_a_last_check_becomes_a_success() -> None:
    assert mutated("without `self.invariant()`").endswith(".ok_or(Error::TooMuch)?; Ok(()) }")


def test_what_is_in_comments_is_no_check() -> None:
    assert not [mutation for mutation in mutations_of(WITHDRAW) if "thief" in mutation.name]


@pytest.mark.parametrize(
    ("check", "mutation"),
    [
        ("constraint = ", " without `constraint = "),
        ("has_one = ", " without `has_one = "),
        ("address = ", " without `address = "),
        ("seeds = ", " at any address"),
        ("associated_token::authority = ", " need not be the associated account"),
        (": Signer<", " is no Signer"),
        (": Program<", " is no Program"),
        ("require!(", ": without `require!("),
        (".checked_", ": wrapping `"),
        ("#[access_control(", ": without `#[access_control("),
        (".invariant(", ".invariant("),
    ],
)
def test_each_check_has_a_mutant(check: str, mutation: str) -> None:
    checks = sum(without_words(path.read_text(encoding="utf-8")).count(check) for path in SOURCES)
    assert len([mutant for mutant in mutants() if mutation in mutant.name]) == checks


def test_each_mutant_has_a_name_of_its_own_and_another_text() -> None:
    assert len({mutant.name for mutant in mutants()}) == len(mutants()) > 200
    for mutant in mutants():
        source = (ROOT / mutant.source).read_text(encoding="utf-8")
        assert mutant.mutation.apply(source) != source
