//! Creates a vault and its token account.

use anchor_lang::prelude::*;
use anchor_spl::associated_token::AssociatedToken;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::errors::VaultError;
use crate::events::VaultInitialized;
use crate::seeds::{AUTHORITY_SEED, VAULT_SEED};
use crate::state::{CollateralVault, VaultAuthority};

#[event_cpi]
#[derive(Accounts)]
pub struct InitializeVault<'info> {
    /// Whose vault it will be; pays for the accounts.
    #[account(mut)]
    pub owner: Signer<'info>,

    #[account(
        seeds = [AUTHORITY_SEED],
        bump = authority.bump,
        has_one = collateral_mint @ VaultError::WrongMint,
    )]
    pub authority: Box<Account<'info, VaultAuthority>>,

    #[account(
        init,
        payer = owner,
        space = 8 + CollateralVault::INIT_SPACE,
        seeds = [VAULT_SEED, owner.key().as_ref()],
        bump,
    )]
    pub vault: Box<Account<'info, CollateralVault>>,

    pub collateral_mint: Box<Account<'info, Mint>>,

    /// Anybody can have created it before, and even sent tokens to it; mint, authority and address are checked.
    #[account(
        init_if_needed,
        payer = owner,
        associated_token::mint = collateral_mint,
        associated_token::authority = vault,
    )]
    pub token_account: Box<Account<'info, TokenAccount>>,

    pub token_program: Program<'info, Token>,

    pub associated_token_program: Program<'info, AssociatedToken>,

    pub system_program: Program<'info, System>,
}

impl InitializeVault<'_> {
    pub fn initialize_vault(ctx: Context<Self>) -> Result<Pubkey> {
        let owner = ctx.accounts.owner.key();
        let token_account = ctx.accounts.token_account.key();
        let now = Clock::get()?.unix_timestamp;
        let new = CollateralVault::new(owner, token_account, ctx.bumps.vault, now);
        ctx.accounts.vault.set_inner(new);

        let vault = &ctx.accounts.vault;
        emit_cpi!(VaultInitialized {
            vault: vault.key(),
            owner,
            token_account,
            mint: ctx.accounts.collateral_mint.key(),
            decimals: ctx.accounts.collateral_mint.decimals,
            total_balance: vault.total_balance,
            locked_balance: vault.locked_balance,
            available_balance: vault.available_balance,
            timestamp: now,
        });
        vault.invariant(&ctx.accounts.token_account)?;
        Ok(vault.key())
    }
}
