"""Where the programs' accounts are, and what is in them."""

from typing import NamedTuple

from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from localnet.programs import position_manager, vault_manager

UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")


class CollateralVault(NamedTuple):
    """Amounts in base units, times in Unix seconds."""

    owner: Pubkey
    token_account: Pubkey
    total_balance: int
    locked_balance: int
    available_balance: int
    total_deposited: int
    total_withdrawn: int
    created_at: int
    last_updated: int


class AuthorizedProgram(NamedTuple):
    program: Pubkey
    caller: Pubkey


class VaultAuthority(NamedTuple):
    admin: Pubkey
    pending_admin: Pubkey | None
    collateral_mint: Pubkey
    authorized_programs: list[AuthorizedProgram]


class Position(NamedTuple):
    owner: Pubkey
    id: int
    margin: int
    opened_at: int
    serial: int
    """By which a settlement names it."""


def vault_address(owner: Pubkey) -> Pubkey:
    return _of_vault_manager(b"vault", bytes(owner))


def vault_tokens_address(owner: Pubkey, mint: Pubkey) -> Pubkey:
    """The token account of the vault of this owner."""
    return get_associated_token_address(vault_address(owner), mint)


def authority_address() -> Pubkey:
    return _of_vault_manager(b"authority")


def event_authority_address() -> Pubkey:
    return _of_vault_manager(b"__event_authority")


def position_address(owner: Pubkey, number: int) -> Pubkey:
    return _of_position_manager(b"position", bytes(owner), number.to_bytes(8, "little"))


def config_address() -> Pubkey:
    return _of_position_manager(b"config")


def caller_address() -> Pubkey:
    """By which the position-manager signs towards the vault-manager."""
    return _of_position_manager(b"vault_caller")


def program_data_address(program: Pubkey) -> Pubkey:
    return _derived(UPGRADEABLE_LOADER, bytes(program))


def decode_vault(data: bytes) -> CollateralVault:
    fields = vault_manager().idl.account("CollateralVault", data)
    return CollateralVault(**{name: fields[name] for name in CollateralVault._fields})


def decode_authority(data: bytes) -> VaultAuthority:
    fields = vault_manager().idl.account("VaultAuthority", data)
    fields["authorized_programs"] = [AuthorizedProgram(**entry) for entry in fields["authorized_programs"]]
    return VaultAuthority(**{name: fields[name] for name in VaultAuthority._fields})


def decode_position(data: bytes) -> Position:
    fields = position_manager().idl.account("Position", data)
    return Position(**{name: fields[name] for name in Position._fields})


def decode_token_amount(data: bytes) -> int:
    """Base units in an SPL token account; layout: spl-token's state.rs, `Account`."""
    return int.from_bytes(data[64:72], "little")


def _of_vault_manager(*seeds: bytes) -> Pubkey:
    return _derived(vault_manager().address, *seeds)


def _of_position_manager(*seeds: bytes) -> Pubkey:
    return _derived(position_manager().address, *seeds)


def _derived(program: Pubkey, *seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(seeds, program)[0]
