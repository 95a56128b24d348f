"""The builders against the committed IDLs."""

import struct

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from localnet import accounts, instructions, programs

OWNER, OTHER, ADMIN, MINT, TOKENS, CALLER = (Pubkey.new_unique() for _ in range(6))

VAULT_MANAGER = {
    "initialize_authority": instructions.initialize_authority(ADMIN, MINT),
    "initialize_vault": instructions.initialize_vault(OWNER, MINT),
    "deposit": instructions.deposit(OWNER, MINT, TOKENS, 7),
    "withdraw": instructions.withdraw(OWNER, MINT, TOKENS, 7),
    "lock_collateral": instructions.lock_collateral(CALLER, OWNER, MINT, 7),
    "unlock_collateral": instructions.unlock_collateral(CALLER, OWNER, MINT, 7),
    "transfer_collateral": instructions.transfer_collateral(CALLER, OWNER, OTHER, MINT, 7),
    "add_authorized_program": instructions.add_authorized_program(ADMIN, OTHER),
    "remove_authorized_program": instructions.remove_authorized_program(ADMIN, OTHER),
    "propose_admin": instructions.propose_admin(ADMIN, OTHER),
    "accept_admin": instructions.accept_admin(OTHER),
}
POSITION_MANAGER = {
    "initialize_config": instructions.initialize_config(ADMIN),
    "open_position": instructions.open_position(OWNER, MINT, 3, 7),
    "close_position": instructions.close_position(OWNER, MINT, 3),
    "settle_position": instructions.settle_position(ADMIN, OWNER, MINT, 3, 5, 7, OTHER),
    "propose_settlement_admin": instructions.propose_settlement_admin(ADMIN, OTHER),
    "accept_settlement_admin": instructions.accept_settlement_admin(OTHER),
}


def test_every_instruction_of_both_programs_has_a_builder() -> None:
    assert VAULT_MANAGER.keys() == set(programs.vault_manager().idl.instruction_names)
    assert POSITION_MANAGER.keys() == set(programs.position_manager().idl.instruction_names)


@pytest.mark.parametrize(
    ("program", "built"),
    [(programs.vault_manager(), VAULT_MANAGER), (programs.position_manager(), POSITION_MANAGER)],
    ids=["vault-manager", "position-manager"],
)
def test_an_instruction_begins_with_its_own_discriminator(
    program: programs.Program, built: dict[str, Instruction]
) -> None:
    assert {instruction.program_id for instruction in built.values()} == {program.address}
    assert len({bytes(instruction.data[:8]) for instruction in built.values()}) == len(built)


def test_a_deposit_is_what_anchor_would_build() -> None:
    """Written out once by hand: sha256("global:deposit")[:8] and the amount, little-endian."""
    built = VAULT_MANAGER["deposit"]

    assert built.data.hex() == "f223c68952e1f2b6" + "0700000000000000"
    assert built.accounts == [
        AccountMeta(OWNER, True, False),
        AccountMeta(accounts.authority_address(), False, False),
        AccountMeta(accounts.vault_address(OWNER), False, True),
        AccountMeta(MINT, False, False),
        AccountMeta(accounts.vault_tokens_address(OWNER, MINT), False, True),
        AccountMeta(TOKENS, False, True),
        AccountMeta(Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"), False, False),
        AccountMeta(accounts.event_authority_address(), False, False),
        AccountMeta(programs.vault_manager().address, False, False),
    ]


def test_a_settlement_carries_serial_and_amount_in_this_order() -> None:
    assert POSITION_MANAGER["settle_position"].data[8:].hex() == "0500000000000000" + "0700000000000000"


@pytest.mark.parametrize("amount", [-1, 2**64])
def test_an_amount_that_is_no_u64_is_refused_before_it_is_sent(amount: int) -> None:
    with pytest.raises(struct.error):
        instructions.deposit(OWNER, MINT, TOKENS, amount)


def test_an_account_of_another_type_is_not_decoded() -> None:
    with pytest.raises(ValueError, match="not a CollateralVault"):
        accounts.decode_vault(bytes(300))
