//! Moves available tokens from a vault to its owner.

use anchor_lang::prelude::*;
use anchor_spl::token::{self, Mint, Token, TokenAccount, TransferChecked};

use crate::errors::VaultError;
use crate::events::Withdrawn;
use crate::seeds::{AUTHORITY_SEED, VAULT_SEED};
use crate::state::{CollateralVault, VaultAuthority};

#[event_cpi]
#[derive(Accounts)]
pub struct Withdraw<'info> {
    pub owner: Signer<'info>,

    #[account(
        seeds = [AUTHORITY_SEED],
        bump = authority.bump,
        has_one = collateral_mint @ VaultError::WrongMint,
    )]
    pub authority: Box<Account<'info, VaultAuthority>>,

    #[account(
        mut,
        seeds = [VAULT_SEED, vault.owner.as_ref()],
        bump = vault.bump,
        has_one = owner @ VaultError::WrongOwner,
        has_one = token_account @ VaultError::WrongTokenAccount,
    )]
    pub vault: Box<Account<'info, CollateralVault>>,

    pub collateral_mint: Box<Account<'info, Mint>>,

    #[account(mut, constraint = !token_account.is_frozen() @ VaultError::TokenAccountFrozen)]
    pub token_account: Box<Account<'info, TokenAccount>>,

    /// Any token account of the owner, associated or not.
    #[account(
        mut,
        constraint = owner_token_account.mint == collateral_mint.key() @ VaultError::WrongMint,
        constraint = owner_token_account.owner == owner.key() @ VaultError::WrongTokenOwner,
        constraint = !owner_token_account.is_frozen() @ VaultError::TokenAccountFrozen,
    )]
    pub owner_token_account: Box<Account<'info, TokenAccount>>,

    pub token_program: Program<'info, Token>,
}

impl Withdraw<'_> {
    fn validate(&self, amount: u64) -> Result<()> {
        require!(amount > 0, VaultError::ZeroAmount);
        Ok(())
    }

    #[access_control(ctx.accounts.validate(amount))]
    pub fn withdraw(ctx: Context<Self>, amount: u64) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        ctx.accounts.vault.withdraw(amount, now)?;
        ctx.accounts.give_tokens(amount)?;

        let vault = &ctx.accounts.vault;
        emit_cpi!(Withdrawn {
            vault: vault.key(),
            owner: vault.owner,
            amount,
            total_balance: vault.total_balance,
            locked_balance: vault.locked_balance,
            available_balance: vault.available_balance,
            timestamp: now,
        });
        vault.invariant(&ctx.accounts.token_account)
    }

    fn give_tokens(&mut self, amount: u64) -> Result<()> {
        let accounts = TransferChecked {
            from: self.token_account.to_account_info(),
            mint: self.collateral_mint.to_account_info(),
            to: self.owner_token_account.to_account_info(),
            authority: self.vault.to_account_info(),
        };
        let seeds: &[&[u8]] = &[VAULT_SEED, self.vault.owner.as_ref(), &[self.vault.bump]];
        let signers = [seeds];
        let cpi = CpiContext::new_with_signer(self.token_program.key(), accounts, &signers);
        token::transfer_checked(cpi, amount, self.collateral_mint.decimals)?;
        self.token_account.reload()
    }
}
