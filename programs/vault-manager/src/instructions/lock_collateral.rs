//! Turns available collateral into locked, for an authorised program.

use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;

use crate::errors::VaultError;
use crate::events::CollateralLocked;
use crate::seeds::{AUTHORITY_SEED, VAULT_SEED};
use crate::state::{CollateralVault, VaultAuthority};

#[event_cpi]
#[derive(Accounts)]
pub struct LockCollateral<'info> {
    /// PDA `["vault_caller"]` of an authorised program, which only that program can make sign.
    pub caller: Signer<'info>,

    #[account(seeds = [AUTHORITY_SEED], bump = authority.bump)]
    pub authority: Box<Account<'info, VaultAuthority>>,

    #[account(
        mut,
        seeds = [VAULT_SEED, vault.owner.as_ref()],
        bump = vault.bump,
        has_one = token_account @ VaultError::WrongTokenAccount,
    )]
    pub vault: Box<Account<'info, CollateralVault>>,

    pub token_account: Box<Account<'info, TokenAccount>>,
}

impl LockCollateral<'_> {
    fn validate(&self, amount: u64) -> Result<()> {
        require!(amount > 0, VaultError::ZeroAmount);
        Ok(())
    }

    #[access_control(ctx.accounts.validate(amount))]
    pub fn lock_collateral(ctx: Context<Self>, amount: u64) -> Result<()> {
        let program = ctx.accounts.authority.program_of(ctx.accounts.caller.key)?;
        let now = Clock::get()?.unix_timestamp;
        ctx.accounts.vault.lock(amount, now)?;

        let vault = &ctx.accounts.vault;
        emit_cpi!(CollateralLocked {
            vault: vault.key(),
            owner: vault.owner,
            program,
            amount,
            total_balance: vault.total_balance,
            locked_balance: vault.locked_balance,
            available_balance: vault.available_balance,
            timestamp: now,
        });
        vault.invariant(&ctx.accounts.token_account)
    }
}
