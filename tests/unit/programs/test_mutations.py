"""Every check in the programs' sources has a mutant that lacks it."""

import re
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

    #[account(init, payer = owner, seeds = [SEED, owner.key().as_ref()], bump)]
    pub next: Account<'info, Vault>,

    pub mint: Box<Account<'info, Mint>>,

    pub owner: Signer<'info>,

    fn pay(&mut self, amount: u64) -> Result<()> {
        require!(amount > 0, Error::Zero);
        let program = ctx.accounts.list.program_of(ctx.accounts.caller.key)?;
        self.ever = self.ever.saturating_add(amount);
        emit_cpi!(Paid { amount });
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


def test_a_sum_that_stops_at_the_largest_begins_anew() -> None:
    text = mutated("wrapping `self.ever = self.ever.saturating_add(amount)`")
    assert "self.ever = self.ever.wrapping_add(amount);" in text


def test_what_is_created_gets_another_seed_instead_of_none() -> None:
    assert 'seeds = [b"another", owner.key().as_ref()], bump)' in mutated("next with another seed than `SEED`")
    assert 'seeds = [SEED, b"another"], bump)' in mutated("next with another seed than `owner.key().as_ref()`")
    assert "next at any address" not in {mutation.name for mutation in mutations_of(WITHDRAW)}


def test_an_account_may_be_another_programs_or_of_another_kind() -> None:
    assert "pub vault: InterfaceAccount<'info, OfAnyProgram<Vault>>," in mutated("vault may be another program's")
    assert "pub mint: Box<InterfaceAccount<'info, OfAnyProgram<Mint>>>," in mutated("mint may be another program's")
    assert "pub vault: Account<'info, OfAnyKind<Vault>>," in mutated("vault of any kind")


def test_who_calls_may_be_anybody() -> None:
    text = mutated("whatever `let program = ctx.accounts.list.program_of(ctx.accounts.caller.key)`")
    assert "program_of(ctx.accounts.caller.key).unwrap_or_default();" in text


def test_an_event_is_not_told() -> None:
    assert "emit_cpi!" not in mutated("without the event `Paid`")


def test_a_last_check_becomes_a_success() -> None:
    assert mutated("without `self.invariant()`").endswith(".ok_or(Error::TooMuch)?; Ok(()) }")


def test_what_is_in_comments_is_no_check() -> None:
    assert not [mutation for mutation in mutations_of(WITHDRAW) if "thief" in mutation.name]


@pytest.mark.parametrize(
    ("check", "mutation"),
    [
        (r"constraint = ", r" without `constraint = "),
        (r"has_one = ", r" without `has_one = "),
        (r"address = ", r" without `address = "),
        (r"seeds = ", r" at any address| with another seed than `[A-Z_]+`"),
        (r"associated_token::authority = ", r" need not be the associated account"),
        (r": Signer<", r" is no Signer"),
        (r": Program<", r" is no Program"),
        (r"emit_cpi!\(", r" without the event `"),
        (r"\.program_of\(", r" whatever `"),
        (r"require!\(", r": without `require!\("),
        (r"\.(checked|saturating)_", r": wrapping `"),
        (r"#\[access_control\(", r": without `#\[access_control\("),
        (r"\.invariant\(", r"\.invariant\("),
    ],
)
def test_each_check_has_a_mutant(check: str, mutation: str) -> None:
    checks = sum(len(re.findall(check, without_words(path.read_text(encoding="utf-8")))) for path in SOURCES)
    assert len([mutant for mutant in mutants() if re.search(mutation, mutant.name)]) == checks


def test_each_mutant_has_a_name_of_its_own_and_another_text() -> None:
    assert len({mutant.name for mutant in mutants()}) == len(mutants()) > 200
    for mutant in mutants():
        source = (ROOT / mutant.source).read_text(encoding="utf-8")
        assert mutant.mutation.apply(source) != source
