"""Ways to make a wrong call of a correct one."""

from collections.abc import Callable
from typing import TypeAlias

from solders.account import Account
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from tests.program.anchor_idl import AnchorIdl
from tests.program.chain import LOADER, SYSTEM, pda
from tests.program.relaying import Relay
from tests.program.scene import IDLS, POSITIONS, VAULTS, Scene
from tests.program.wrong_accounts import STRANGE_PROGRAM, Find, mallory, new_mint

# Of an SPL token account: where its amount and its state are, and what its state is when it is frozen.
AMOUNT, STATE, FROZEN = 64, 108, 2

Break: TypeAlias = Callable[[Scene], object]


# The call.


def unsigned(account: str) -> Break:
    return lambda scene: scene.unsigned.add(account)


def read_only(account: str) -> Break:
    return lambda scene: scene.read_only.add(account)


def left_out(account: str) -> Break:
    return lambda scene: scene.left_out.add(account)


def instead(account: str, other: Find) -> Break:
    return lambda scene: scene.accounts.update({account: other(scene)})


def argument(name: str, value: int | Pubkey) -> Break:
    return lambda scene: scene.arguments.update({name: value})


def data_cut_short(scene: Scene) -> None:
    scene.data_end = -1


def relayed_unsigned(scene: Scene) -> None:
    """By a third program, for which the authorised one does not sign."""
    scene.wrapped = Relay(scene.svm).passing_on


def relayed_signed(scene: Scene) -> None:
    """By a third program that signs with its own address of the same seed."""
    relay = Relay(scene.svm)
    scene.accounts["caller"] = relay.caller
    scene.wrapped = relay.signing


# An account.


def elsewhere(account: str) -> Break:
    """The same bytes of the same program at an address that is not derived."""

    def moved(scene: Scene) -> Pubkey:
        address = scene.svm.new_address()
        scene.svm.svm.set_account(address, scene.read(account))
        return address

    return instead(account, moved)


def of_another_program(account: str) -> Break:
    """The same bytes at the same address, written by a stranger."""
    return lambda scene: scene.write(account, scene.read(account).data, STRANGE_PROGRAM)


def closed(account: str) -> Break:
    return lambda scene: scene.svm.svm.set_account(scene.accounts[account], Account(0, b"", SYSTEM))


def zeroed(account: str) -> Break:
    """Closed and revived."""
    return lambda scene: scene.write(account, bytes(len(scene.read(account).data)))


def of_another_kind(account: str) -> Break:
    """The right program's, with the discriminator of another kind of account of that program."""

    def turned(scene: Scene) -> None:
        data = scene.read(account).data
        other = next(kind for kind in _idl_of(scene, account).kinds if kind != data[:8])
        scene.write(account, other + data[8:])

    return turned


def holding(account: str, other: Find) -> Break:
    """What the other account holds, of the same program."""
    return lambda scene: scene.write(account, scene.svm.account(other(scene)).data)


def number(account: str, field: str, value: int) -> Break:
    """A u64 of ours as no instruction would leave it."""
    return lambda scene: _patch(scene, account, _place(scene, account, field), value.to_bytes(8, "little"))


def wrong_bump(account: str) -> Break:
    """Stored in the account."""

    def lowered(scene: Scene) -> None:
        at = _place(scene, account, "bump")
        _patch(scene, account, at, bytes([scene.read(account).data[at] - 1]))

    return lowered


def frozen(account: str) -> Break:
    return lambda scene: _patch(scene, account, STATE, bytes([FROZEN]))


def tokens(account: str, amount: int) -> Break:
    """So many base units are in the token account."""
    return lambda scene: _patch(scene, account, AMOUNT, amount.to_bytes(8, "little"))


def listed(*more: Pubkey) -> Break:
    """These are authorised as well, in more room than the account should have."""

    def written(scene: Scene) -> None:
        data = scene.read("authority").data
        at = _place(scene, "authority", "authorized_programs")
        count, after = (1 + len(more)).to_bytes(4, "little"), at + 4 + 64  # two keys: the program and its caller
        entries = b"".join(bytes(program) + bytes(pda(program, b"vault_caller")) for program in more)
        scene.write("authority", data[:at] + count + data[at + 4 : after] + entries + data[after:])

    return written


def mint_before(scene: Scene) -> None:
    """Where the vault's token account will be."""
    scene.svm.svm.set_account(scene.accounts["token_account"], scene.svm.account(new_mint(scene)))


def made_before(mint: Find, owner: Find) -> Break:
    """The vault's token account, as no program would have made it."""
    return lambda scene: scene.svm.set_tokens(scene.accounts["token_account"], mint(scene), owner(scene), 0)


def made_by(program: Pubkey) -> Break:
    """The vault's token account, right but for who wrote it."""

    def made(scene: Scene) -> None:
        made_before(lambda s: s.svm.mint, lambda s: s.accounts["vault"])(scene)
        scene.write("token_account", scene.read("token_account").data, program)

    return made


# Several at once.


def as_bob(scene: Scene) -> None:
    """Bob does with Alice's vault as if it were his."""
    scene.accounts["owner"] = scene.bob.key
    if "position" in scene.accounts:
        scene.accounts["position"] = scene.svm.position_address(scene.bob, scene.number)


def to_oneself(scene: Scene) -> None:
    scene.accounts |= {"to_vault": scene.alice.vault, "to_token_account": scene.alice.vault_tokens}


def vault_of_another_mint(scene: Scene) -> None:
    mint = new_mint(scene)
    tokens_of_it = get_associated_token_address(scene.accounts["vault"], mint)
    scene.accounts |= {"collateral_mint": mint, "token_account": tokens_of_it}


def with_another_programs_data(scene: Scene) -> None:
    """Mallory comes with a program of which she is the upgrade authority."""
    [other] = {VAULTS.program, POSITIONS.program} - {IDLS[scene.instruction].program}
    scene.svm.set_upgrade_authority(other, mallory(scene))
    scene.accounts |= {"admin": mallory(scene), "program_data": pda(LOADER, bytes(other))}


def serial_of_bobs(scene: Scene) -> None:
    scene.arguments["serial"] = scene.svm.serial(scene.bob, 7)


def position_of_bobs(scene: Scene) -> None:
    """Named rightly, but with Alice's vault."""
    scene.accounts["position"] = scene.svm.position_address(scene.bob, 7)
    serial_of_bobs(scene)


# What came before.


def done_already(scene: Scene) -> None:
    scene.call()


def nobody_can_upgrade(scene: Scene) -> None:
    scene.svm.set_upgrade_authority(IDLS[scene.instruction].program, None)


def removed(scene: Scene) -> None:
    scene.svm.remove_program(POSITIONS.program)


def removed_in_the_same_transaction(scene: Scene) -> None:
    accounts = scene.svm.everywhere() | {"admin": scene.svm.admin.pubkey()}
    scene.first.append(VAULTS.instruction("remove_authorized_program", accounts, POSITIONS.program))


def programs_listed(count: int) -> Break:
    def added(scene: Scene) -> None:
        for _ in range(count - 1):  # the position-manager is listed already
            scene.svm.add_program(scene.svm.new_address())

    return added


def proposed_instead(new: Find) -> Break:
    def proposed(scene: Scene) -> None:
        settling = scene.instruction == "accept_settlement_admin"
        propose = scene.svm.propose_settlement_admin if settling else scene.svm.propose_admin
        propose(new(scene))

    return proposed


def opened_anew(scene: Scene) -> None:
    """The position was closed and opened again under its number; what is called still means the first."""
    scene.svm.close_position(scene.alice, 7)
    scene.svm.open_position(scene.alice, 7, 400)


def margin_paid_out(scene: Scene) -> None:
    scene.svm.settle_position(scene.alice, 7, 350, to=scene.bob)


def margin_unlocked(scene: Scene) -> None:
    """By a program that locked nothing."""
    scene.svm.add_program(STRANGE_PROGRAM)
    scene.svm.unlock(scene.alice, 350, pda(STRANGE_PROGRAM, b"vault_caller"))


def _place(scene: Scene, account: str, field: str) -> int:
    return _idl_of(scene, account).place(scene.read(account).data, field)


def _idl_of(scene: Scene, account: str) -> AnchorIdl:
    """Of the program that wrote it."""
    owner = scene.read(account).owner
    [idl] = [idl for idl in (VAULTS, POSITIONS) if idl.program == owner]
    return idl


def _patch(scene: Scene, account: str, at: int, new: bytes) -> None:
    data = scene.read(account).data
    scene.write(account, data[:at] + new + data[at + len(new) :])
