"""Accounts to put in the place of the right ones."""

from collections.abc import Callable
from hashlib import sha256
from typing import TypeAlias

from solders.pubkey import Pubkey

from tests.program.chain import pda
from tests.program.scene import IDLS, POSITIONS, Scene

TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
STRANGE_PROGRAM = Pubkey.from_bytes(b"s" * 32)
STRANGE_CALLER = pda(STRANGE_PROGRAM, b"vault_caller")
ANOTHER_SEED = pda(POSITIONS.program, b"another")

Find: TypeAlias = Callable[[Scene], Pubkey]


def always(address: Pubkey) -> Find:
    return lambda _: address


def mallory(scene: Scene) -> Pubkey:
    return scene.mallory.key


def mallorys_tokens(scene: Scene) -> Pubkey:
    return scene.mallory.tokens


def alice(scene: Scene) -> Pubkey:
    return scene.alice.key


def alices_vault_tokens(scene: Scene) -> Pubkey:
    return scene.alice.vault_tokens


def bobs_vault_tokens(scene: Scene) -> Pubkey:
    return scene.bob.vault_tokens


def bobs_tokens(scene: Scene) -> Pubkey:
    return scene.bob.tokens


def the_admin(scene: Scene) -> Pubkey:
    return scene.svm.admin.pubkey()


def the_mint(scene: Scene) -> Pubkey:
    return scene.svm.mint


def the_vault(scene: Scene) -> Pubkey:
    return scene.accounts["vault"]


def new_mint(scene: Scene) -> Pubkey:
    return scene.svm.new_mint()


def token_2022_mint(scene: Scene) -> Pubkey:
    return scene.svm.new_mint(TOKEN_2022)


def new_tokens(mint: Find, owner: Find) -> Find:
    """A token account with 1,000 base units in it."""
    return lambda scene: scene.svm.set_tokens(scene.svm.new_address(), mint(scene), owner(scene), 1_000)


def lower_bump(account: str) -> Find:
    """The address of the same seeds that is next to the canonical one."""
    return lambda scene: _lower_bump(IDLS[scene.instruction].program, *_seeds(scene, account))


def callers_lower_bump(_: Scene) -> Pubkey:
    return _lower_bump(POSITIONS.program, b"vault_caller")


def _seeds(scene: Scene, account: str) -> list[bytes]:
    """Of what the instruction would create."""
    match account:
        case "vault":
            return [b"vault", bytes(scene.carol.key)]
        case "position":
            return [b"position", bytes(scene.alice.key), scene.number.to_bytes(8, "little")]
        case _:
            return [account.encode()]


def _lower_bump(program: Pubkey, *seeds: bytes) -> Pubkey:
    _, bump = Pubkey.find_program_address(list(seeds), program)
    for lower in reversed(range(bump)):
        parts = (*seeds, bytes([lower]), bytes(program), b"ProgramDerivedAddress")
        address = Pubkey.from_bytes(sha256(b"".join(parts)).digest())
        if not address.is_on_curve():
            return address
    raise AssertionError("there is none")
