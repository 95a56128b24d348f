"""Sets up what everybody on the local network shares: the collateral's mint and both programs, and the users."""

from dataclasses import dataclass, field

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.token import ID as TOKEN_PROGRAM
from solders.token.associated import get_associated_token_address
from spl.token.instructions import create_idempotent_associated_token_account, initialize_mint2, mint_to
from spl.token.models import InitializeMint2Params, MintToParams

from localnet import accounts, instructions, programs
from localnet.client import Client
from localnet.node import LocalNode

DECIMALS = 6
MINT_BYTES = 82
MINT_LAMPORTS = 1_461_600
"""What exempts a mint from rent."""
USER_LAMPORTS = 10 * 10**9


@dataclass(frozen=True, kw_only=True)
class User:
    keypair: Keypair = field(repr=False)
    tokens: Pubkey
    """The user's own token account."""

    @property
    def owner(self) -> Pubkey:
        return self.keypair.pubkey()


@dataclass(frozen=True, kw_only=True)
class Market:
    """`admin` is everything that an authority can be: of the mint, of both programs, and payer for all."""

    client: Client
    admin: Keypair = field(repr=False)
    mint: Pubkey

    async def new_user(self, tokens: int, keypair: Keypair | None = None) -> User:
        """With lamports, `tokens` base units of collateral and no vault."""
        keypair = keypair or Keypair()
        admin, owner = self.admin.pubkey(), keypair.pubkey()
        account = get_associated_token_address(owner, self.mint)
        funding = [
            transfer(TransferParams(from_pubkey=admin, to_pubkey=owner, lamports=USER_LAMPORTS)),
            create_idempotent_associated_token_account(admin, owner, self.mint),
            mint_to(
                MintToParams(
                    program_id=TOKEN_PROGRAM, mint=self.mint, dest=account, mint_authority=admin, amount=tokens
                )
            ),
        ]
        await self.client.send(funding, [self.admin])
        return User(keypair=keypair, tokens=account)

    async def serial(self, owner: Pubkey, number: int) -> int:
        """By which a settlement names an open position."""
        data = await self.client.account(accounts.position_address(owner, number))
        assert data is not None, f"{owner} has no position {number}"
        return accounts.decode_position(data).serial

    async def new_vault(self, user: User) -> None:
        await self.client.send([instructions.initialize_vault(user.owner, self.mint)], [self.admin, user.keypair])


async def open_market(node: LocalNode, client: Client, mint: Keypair | None = None) -> Market:
    """Deploys both programs, initialises them for a new mint, and authorises the position-manager."""
    node.cheatcodes.deploy(programs.vault_manager(), node.payer.pubkey())
    node.cheatcodes.deploy(programs.position_manager(), node.payer.pubkey())
    return await found_market(client, node.payer, mint or Keypair())


async def found_market(client: Client, admin: Keypair, mint: Keypair) -> Market:
    """On programs that are deployed already, with `admin` as their upgrade authority."""
    payer = admin.pubkey()
    creation = create_account(
        CreateAccountParams(
            from_pubkey=payer,
            to_pubkey=mint.pubkey(),
            lamports=MINT_LAMPORTS,
            space=MINT_BYTES,
            owner=TOKEN_PROGRAM,
        )
    )
    initialisation = initialize_mint2(
        InitializeMint2Params(decimals=DECIMALS, program_id=TOKEN_PROGRAM, mint=mint.pubkey(), mint_authority=payer)
    )
    await client.send([creation, initialisation], [admin, mint])
    await client.send(
        [
            instructions.initialize_authority(payer, mint.pubkey()),
            instructions.initialize_config(payer),
            instructions.add_authorized_program(payer, programs.position_manager().address),
        ],
        [admin],
    )
    return Market(client=client, admin=admin, mint=mint.pubkey())
