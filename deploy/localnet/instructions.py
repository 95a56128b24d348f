"""Every instruction of both programs, ready to be put into a transaction. Amounts are in base units."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from localnet import accounts
from localnet.programs import position_manager, vault_manager


def initialize_authority(admin: Pubkey, mint: Pubkey) -> Instruction:
    """`admin` must be the program's upgrade authority."""
    program_data = accounts.program_data_address(vault_manager().address)
    return _vault("initialize_authority", {"admin": admin, "collateral_mint": mint, "program_data": program_data})


def initialize_vault(owner: Pubkey, mint: Pubkey) -> Instruction:
    return _vault("initialize_vault", {"collateral_mint": mint} | _owned(owner, mint))


def deposit(owner: Pubkey, mint: Pubkey, owner_tokens: Pubkey, amount: int) -> Instruction:
    """`owner_tokens` is any token account of the owner."""
    given = {"collateral_mint": mint, "owner_token_account": owner_tokens}
    return _vault("deposit", given | _owned(owner, mint), amount)


def withdraw(owner: Pubkey, mint: Pubkey, owner_tokens: Pubkey, amount: int) -> Instruction:
    given = {"collateral_mint": mint, "owner_token_account": owner_tokens}
    return _vault("withdraw", given | _owned(owner, mint), amount)


def lock_collateral(caller: Pubkey, owner: Pubkey, mint: Pubkey, amount: int) -> Instruction:
    """Only an authorised program can make its `caller` sign."""
    return _vault("lock_collateral", {"caller": caller} | _owned(owner, mint), amount)


def unlock_collateral(caller: Pubkey, owner: Pubkey, mint: Pubkey, amount: int) -> Instruction:
    return _vault("unlock_collateral", {"caller": caller} | _owned(owner, mint), amount)


def transfer_collateral(caller: Pubkey, owner: Pubkey, to_owner: Pubkey, mint: Pubkey, amount: int) -> Instruction:
    given = {"caller": caller, "collateral_mint": mint}
    return _vault("transfer_collateral", given | _between(owner, to_owner, mint), amount)


def add_authorized_program(admin: Pubkey, program: Pubkey) -> Instruction:
    return _vault("add_authorized_program", {"admin": admin}, program)


def remove_authorized_program(admin: Pubkey, program: Pubkey) -> Instruction:
    return _vault("remove_authorized_program", {"admin": admin}, program)


def propose_admin(admin: Pubkey, new_admin: Pubkey) -> Instruction:
    return _vault("propose_admin", {"admin": admin}, new_admin)


def accept_admin(pending_admin: Pubkey) -> Instruction:
    return _vault("accept_admin", {"pending_admin": pending_admin})


def initialize_config(admin: Pubkey) -> Instruction:
    """`admin` must be the position-manager's upgrade authority."""
    program_data = accounts.program_data_address(position_manager().address)
    return _position("initialize_config", {"admin": admin, "program_data": program_data})


def open_position(owner: Pubkey, mint: Pubkey, number: int, margin: int) -> Instruction:
    given = {"position": accounts.position_address(owner, number)}
    return _position("open_position", given | _owned(owner, mint), number, margin)


def close_position(owner: Pubkey, mint: Pubkey, number: int) -> Instruction:
    given = {"position": accounts.position_address(owner, number)}
    return _position("close_position", given | _owned(owner, mint), number)


def settle_position(
    admin: Pubkey, owner: Pubkey, mint: Pubkey, number: int, serial: int, amount: int, to_owner: Pubkey
) -> Instruction:
    """Pays `amount` of the position's margin to another user's vault; `serial` is what the position's account says."""
    position = accounts.position_address(owner, number)
    given = {"admin": admin, "position": position, "collateral_mint": mint}
    return _position("settle_position", given | _between(owner, to_owner, mint), serial, amount)


def propose_settlement_admin(admin: Pubkey, new_admin: Pubkey) -> Instruction:
    return _position("propose_settlement_admin", {"admin": admin}, new_admin)


def accept_settlement_admin(pending_admin: Pubkey) -> Instruction:
    return _position("accept_settlement_admin", {"pending_admin": pending_admin})


def _owned(owner: Pubkey, mint: Pubkey) -> dict[str, Pubkey]:
    vault, tokens = accounts.vault_address(owner), accounts.vault_tokens_address(owner, mint)
    return {"owner": owner, "vault": vault, "token_account": tokens}


def _between(owner: Pubkey, to_owner: Pubkey, mint: Pubkey) -> dict[str, Pubkey]:
    return {
        "from_vault": accounts.vault_address(owner),
        "from_token_account": accounts.vault_tokens_address(owner, mint),
        "to_vault": accounts.vault_address(to_owner),
        "to_token_account": accounts.vault_tokens_address(to_owner, mint),
    }


def _vault(name: str, given: dict[str, Pubkey], *arguments: int | Pubkey) -> Instruction:
    everywhere = {"authority": accounts.authority_address(), "program": vault_manager().address}
    everywhere["event_authority"] = accounts.event_authority_address()
    return vault_manager().idl.instruction(name, everywhere | given, *arguments)


def _position(name: str, given: dict[str, Pubkey], *arguments: int | Pubkey) -> Instruction:
    everywhere = {
        "caller": accounts.caller_address(),
        "config": accounts.config_address(),
        "event_authority": accounts.event_authority_address(),
        "vault_authority": accounts.authority_address(),
    }
    return position_manager().idl.instruction(name, everywhere | given, *arguments)
