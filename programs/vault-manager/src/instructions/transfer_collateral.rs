//! Moves available collateral, and the tokens behind it, from one vault to another, for an authorised program.

use anchor_lang::prelude::*;
use anchor_spl::token::{self, Mint, Token, TokenAccount, TransferChecked};

use crate::errors::VaultError;
use crate::events::CollateralTransferred;
use crate::seeds::{AUTHORITY_SEED, VAULT_SEED};
use crate::state::{CollateralVault, VaultAuthority};

#[event_cpi]
#[derive(Accounts)]
pub struct TransferCollateral<'info> {
    /// PDA `["vault_caller"]` of an authorised program, which only that program can make sign.
    pub caller: Signer<'info>,

    #[account(
        seeds = [AUTHORITY_SEED],
        bump = authority.bump,
        has_one = collateral_mint @ VaultError::WrongMint,
    )]
    pub authority: Box<Account<'info, VaultAuthority>>,

    #[account(
        mut,
        seeds = [VAULT_SEED, from_vault.owner.as_ref()],
        bump = from_vault.bump,
        constraint = from_vault.token_account == from_token_account.key() @ VaultError::WrongTokenAccount,
    )]
    pub from_vault: Box<Account<'info, CollateralVault>>,

    #[account(mut, constraint = !from_token_account.is_frozen() @ VaultError::TokenAccountFrozen)]
    pub from_token_account: Box<Account<'info, TokenAccount>>,

    /// `dup` hands the check for the same account twice to our own constraint, which has a name of its own.
    #[account(
        mut,
        dup,
        seeds = [VAULT_SEED, to_vault.owner.as_ref()],
        bump = to_vault.bump,
        constraint = to_vault.key() != from_vault.key() @ VaultError::SelfTransfer,
        constraint = to_vault.token_account == to_token_account.key() @ VaultError::WrongTokenAccount,
    )]
    pub to_vault: Box<Account<'info, CollateralVault>>,

    /// Differs from the other token account because the vaults differ: each is its own vault's associated account.
    #[account(mut, dup, constraint = !to_token_account.is_frozen() @ VaultError::TokenAccountFrozen)]
    pub to_token_account: Box<Account<'info, TokenAccount>>,

    pub collateral_mint: Box<Account<'info, Mint>>,

    pub token_program: Program<'info, Token>,
}

impl TransferCollateral<'_> {
    fn validate(&self, amount: u64) -> Result<()> {
        require!(amount > 0, VaultError::ZeroAmount);
        Ok(())
    }

    #[access_control(ctx.accounts.validate(amount))]
    pub fn transfer_collateral(ctx: Context<Self>, amount: u64) -> Result<()> {
        let program = ctx.accounts.authority.program_of(ctx.accounts.caller.key)?;
        let now = Clock::get()?.unix_timestamp;
        ctx.accounts.from_vault.send(amount, now)?;
        ctx.accounts.to_vault.receive(amount, now)?;
        ctx.accounts.move_tokens(amount)?;

        let (from, to) = (&ctx.accounts.from_vault, &ctx.accounts.to_vault);
        emit_cpi!(CollateralTransferred {
            from_vault: from.key(),
            from_owner: from.owner,
            to_vault: to.key(),
            to_owner: to.owner,
            program,
            amount,
            from_total_balance: from.total_balance,
            from_locked_balance: from.locked_balance,
            from_available_balance: from.available_balance,
            to_total_balance: to.total_balance,
            to_locked_balance: to.locked_balance,
            to_available_balance: to.available_balance,
            timestamp: now,
        });
        from.invariant(&ctx.accounts.from_token_account)?;
        to.invariant(&ctx.accounts.to_token_account)
    }

    fn move_tokens(&mut self, amount: u64) -> Result<()> {
        let accounts = TransferChecked {
            from: self.from_token_account.to_account_info(),
            mint: self.collateral_mint.to_account_info(),
            to: self.to_token_account.to_account_info(),
            authority: self.from_vault.to_account_info(),
        };
        let from = &self.from_vault;
        let seeds: &[&[u8]] = &[VAULT_SEED, from.owner.as_ref(), &[from.bump]];
        let signers = [seeds];
        let cpi = CpiContext::new_with_signer(self.token_program.key(), accounts, &signers);
        token::transfer_checked(cpi, amount, self.collateral_mint.decimals)?;
        self.from_token_account.reload()?;
        self.to_token_account.reload()
    }
}
