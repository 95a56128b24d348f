"""Ways to take, lock or free what is not one's own, and the name by which each is refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from solders.account import Account
from solders.pubkey import Pubkey

from tests.program.chain import SYSTEM, pda
from tests.program.vault_svm import Outcome, User, VaultSvm


class Attack(NamedTuple):
    refusal: str
    attempt: Callable[[VaultSvm, User, User, int], Outcome]
    """By a user on the vault of another; both have vaults, and the amount is one that the victim could spare."""


def withdraw_from_anothers_vault(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.withdraw(thief, amount, vault=victim.vault, token_account=victim.vault_tokens)


def withdraw_without_the_owners_signature(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    with _unsigned(svm, victim.key):
        return svm.withdraw(victim, amount)


def have_a_withdrawal_signed_to_ones_own_tokens(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.withdraw(victim, amount, owner_token_account=thief.tokens)


def withdraw_by_ones_own_vault_from_anothers_tokens(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.withdraw(thief, amount, token_account=victim.vault_tokens)


def withdraw_by_a_vault_that_only_looks_like_one(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    forged = _forged(svm, victim.vault, victim.key, thief.key)
    return svm.withdraw(thief, amount, vault=forged, token_account=victim.vault_tokens)


def deposit_anothers_tokens(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.deposit(thief, amount, owner_token_account=victim.tokens)


def deposit_the_tokens_of_anothers_vault(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.deposit(thief, amount, owner_token_account=victim.vault_tokens)


def lock_in_ones_own_name(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.lock(victim, amount, thief.key)


def unlock_in_the_name_of_an_unknown_program(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.unlock(victim, amount, pda(Pubkey.new_unique(), b"vault_caller"))


def unlock_without_the_programs_signature(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    with _unsigned(svm, svm.caller):
        return svm.unlock(victim, amount, svm.caller)


def lock_by_another_address_of_a_program(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.lock(victim, amount, pda(svm.positions.program, b"config"))


def transfer_by_a_list_of_ones_own(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    program = Pubkey.new_unique()
    own_list = _forged(svm, svm.authority, svm.caller, pda(program, b"vault_caller"))
    return svm.transfer(victim, thief, amount, pda(program, b"vault_caller"), authority=own_list)


def transfer_without_the_programs_signature(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    with _unsigned(svm, svm.caller):
        return svm.transfer(victim, thief, amount, svm.caller)


def have_tokens_transferred_out_of_all_vaults(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.transfer(victim, thief, amount, svm.caller, to_token_account=thief.tokens)


def govern_without_the_admins_signature(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    with _unsigned(svm, svm.admin.pubkey()):
        return svm.propose_admin(thief.key)


def open_a_position_on_anothers_vault(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.open_position(thief, 2**64 - 1, amount, vault=victim.vault, token_account=victim.vault_tokens)


def set_the_vaults_up_again(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.initialize_authority()


def set_the_positions_up_again(svm: VaultSvm, thief: User, victim: User, amount: int) -> Outcome:
    return svm.initialize_config()


ATTACKS = [
    Attack("WrongOwner", withdraw_from_anothers_vault),
    Attack("AccountNotSigner", withdraw_without_the_owners_signature),
    Attack("WrongTokenOwner", have_a_withdrawal_signed_to_ones_own_tokens),
    Attack("WrongTokenAccount", withdraw_by_ones_own_vault_from_anothers_tokens),
    Attack("AccountOwnedByWrongProgram", withdraw_by_a_vault_that_only_looks_like_one),
    Attack("WrongTokenOwner", deposit_anothers_tokens),
    Attack("WrongTokenOwner", deposit_the_tokens_of_anothers_vault),
    Attack("UnauthorizedCaller", lock_in_ones_own_name),
    Attack("UnauthorizedCaller", unlock_in_the_name_of_an_unknown_program),
    Attack("AccountNotSigner", unlock_without_the_programs_signature),
    Attack("UnauthorizedCaller", lock_by_another_address_of_a_program),
    Attack("AccountOwnedByWrongProgram", transfer_by_a_list_of_ones_own),
    Attack("AccountNotSigner", transfer_without_the_programs_signature),
    Attack("WrongTokenAccount", have_tokens_transferred_out_of_all_vaults),
    Attack("AccountNotSigner", govern_without_the_admins_signature),
    Attack("AccountAlreadyInUse", set_the_vaults_up_again),
    Attack("AccountAlreadyInUse", set_the_positions_up_again),
    Attack("WrongVault", open_a_position_on_anothers_vault),
]


@contextmanager
def _unsigned(svm: VaultSvm, key: Pubkey) -> Iterator[None]:
    svm.unsigned.add(key)
    try:
        yield
    finally:
        svm.unsigned.discard(key)


def _forged(svm: VaultSvm, address: Pubkey, old: Pubkey, new: Pubkey) -> Pubkey:
    """The bytes of an account with one key changed, in an account that belongs to no program of ours."""
    account, forged = svm.account(address), Pubkey.new_unique()
    data = account.data.replace(bytes(old), bytes(new))
    svm.svm.set_account(forged, Account(account.lamports, data, SYSTEM))
    return forged
