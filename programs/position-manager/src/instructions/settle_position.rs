//! Pays part of a position's margin to another vault: unlocks it first, then transfers it.

use anchor_lang::prelude::*;
use anchor_spl::token::Token;
use vault_manager::program::VaultManager;
use vault_manager::{CollateralVault, VAULT_CALLER_SEED};

use crate::errors::PositionError;
use crate::seeds::{CONFIG_SEED, POSITION_SEED};
use crate::state::{Config, Position};

#[derive(Accounts)]
#[instruction(serial: u64)]
pub struct SettlePosition<'info> {
    pub admin: Signer<'info>,

    #[account(seeds = [CONFIG_SEED], bump = config.bump, has_one = admin @ PositionError::NotAdmin)]
    pub config: Account<'info, Config>,

    #[account(
        mut,
        seeds = [POSITION_SEED, position.owner.as_ref(), &position.id.to_le_bytes()],
        bump = position.bump,
        constraint = position.serial == serial @ PositionError::AnotherPosition,
    )]
    pub position: Account<'info, Position>,

    /// CHECK: an address only; signs for this program towards the vault-manager.
    #[account(seeds = [VAULT_CALLER_SEED], bump)]
    pub caller: UncheckedAccount<'info>,

    /// CHECK: by the vault-manager.
    pub vault_authority: UncheckedAccount<'info>,

    #[account(mut, constraint = from_vault.owner == position.owner @ PositionError::WrongVault)]
    pub from_vault: Box<Account<'info, CollateralVault>>,

    /// CHECK: by the vault-manager.
    #[account(mut)]
    pub from_token_account: UncheckedAccount<'info>,

    /// CHECK: by the vault-manager.
    #[account(mut)]
    pub to_vault: UncheckedAccount<'info>,

    /// CHECK: by the vault-manager.
    #[account(mut)]
    pub to_token_account: UncheckedAccount<'info>,

    /// CHECK: by the vault-manager.
    pub collateral_mint: UncheckedAccount<'info>,

    /// CHECK: by the vault-manager.
    pub event_authority: UncheckedAccount<'info>,

    pub vault_manager_program: Program<'info, VaultManager>,

    pub token_program: Program<'info, Token>,
}

impl SettlePosition<'_> {
    fn validate(&self, amount: u64) -> Result<()> {
        require!(amount > 0, PositionError::ZeroAmount);
        Ok(())
    }

    #[access_control(ctx.accounts.validate(amount))]
    pub fn settle_position(ctx: Context<Self>, _serial: u64, amount: u64) -> Result<()> {
        ctx.accounts.position.pay(amount)?;
        ctx.accounts.unlock(amount, ctx.bumps.caller)?;
        ctx.accounts.transfer(amount, ctx.bumps.caller)
    }

    fn unlock(&self, amount: u64, caller_bump: u8) -> Result<()> {
        let accounts = vault_manager::cpi::accounts::UnlockCollateral {
            caller: self.caller.to_account_info(),
            authority: self.vault_authority.to_account_info(),
            vault: self.from_vault.to_account_info(),
            token_account: self.from_token_account.to_account_info(),
            event_authority: self.event_authority.to_account_info(),
            program: self.vault_manager_program.to_account_info(),
        };
        let seeds: &[&[u8]] = &[VAULT_CALLER_SEED, &[caller_bump]];
        let signers = [seeds];
        let program = self.vault_manager_program.key();
        let cpi = CpiContext::new_with_signer(program, accounts, &signers);
        vault_manager::cpi::unlock_collateral(cpi, amount)
    }

    fn transfer(&self, amount: u64, caller_bump: u8) -> Result<()> {
        let accounts = vault_manager::cpi::accounts::TransferCollateral {
            caller: self.caller.to_account_info(),
            authority: self.vault_authority.to_account_info(),
            from_vault: self.from_vault.to_account_info(),
            from_token_account: self.from_token_account.to_account_info(),
            to_vault: self.to_vault.to_account_info(),
            to_token_account: self.to_token_account.to_account_info(),
            collateral_mint: self.collateral_mint.to_account_info(),
            token_program: self.token_program.to_account_info(),
            event_authority: self.event_authority.to_account_info(),
            program: self.vault_manager_program.to_account_info(),
        };
        let seeds: &[&[u8]] = &[VAULT_CALLER_SEED, &[caller_bump]];
        let signers = [seeds];
        let program = self.vault_manager_program.key();
        let cpi = CpiContext::new_with_signer(program, accounts, &signers);
        vault_manager::cpi::transfer_collateral(cpi, amount)
    }
}
