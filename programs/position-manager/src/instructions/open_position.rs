//! Opens a position and locks its margin.

use anchor_lang::prelude::*;
use vault_manager::program::VaultManager;
use vault_manager::{CollateralVault, VAULT_CALLER_SEED};

use crate::errors::PositionError;
use crate::seeds::{CONFIG_SEED, POSITION_SEED};
use crate::state::{Config, Position};

#[derive(Accounts)]
#[instruction(id: u64)]
pub struct OpenPosition<'info> {
    /// Pays for the position's account.
    #[account(mut)]
    pub owner: Signer<'info>,

    /// Written to by every opening, so that those of one block follow each other.
    #[account(mut, seeds = [CONFIG_SEED], bump = config.bump)]
    pub config: Box<Account<'info, Config>>,

    #[account(
        init,
        payer = owner,
        space = 8 + Position::INIT_SPACE,
        seeds = [POSITION_SEED, owner.key().as_ref(), &id.to_le_bytes()],
        bump,
    )]
    pub position: Account<'info, Position>,

    /// CHECK: an address only; signs for this program towards the vault-manager.
    #[account(seeds = [VAULT_CALLER_SEED], bump)]
    pub caller: UncheckedAccount<'info>,

    /// CHECK: by the vault-manager.
    pub vault_authority: UncheckedAccount<'info>,

    #[account(mut, has_one = owner @ PositionError::WrongVault)]
    pub vault: Box<Account<'info, CollateralVault>>,

    /// CHECK: by the vault-manager.
    pub token_account: UncheckedAccount<'info>,

    /// CHECK: by the vault-manager.
    pub event_authority: UncheckedAccount<'info>,

    pub vault_manager_program: Program<'info, VaultManager>,

    pub system_program: Program<'info, System>,
}

impl OpenPosition<'_> {
    fn validate(&self, margin: u64) -> Result<()> {
        require!(margin > 0, PositionError::ZeroAmount);
        Ok(())
    }

    #[access_control(ctx.accounts.validate(margin))]
    pub fn open_position(ctx: Context<Self>, id: u64, margin: u64) -> Result<()> {
        ctx.accounts.position.set_inner(Position {
            owner: ctx.accounts.owner.key(),
            id,
            serial: ctx.accounts.config.next_serial()?,
            margin,
            opened_at: Clock::get()?.unix_timestamp,
            bump: ctx.bumps.position,
            reserved: [0; 64],
        });
        ctx.accounts.lock(margin, ctx.bumps.caller)
    }

    fn lock(&self, margin: u64, caller_bump: u8) -> Result<()> {
        let accounts = vault_manager::cpi::accounts::LockCollateral {
            caller: self.caller.to_account_info(),
            authority: self.vault_authority.to_account_info(),
            vault: self.vault.to_account_info(),
            token_account: self.token_account.to_account_info(),
            event_authority: self.event_authority.to_account_info(),
            program: self.vault_manager_program.to_account_info(),
        };
        let seeds: &[&[u8]] = &[VAULT_CALLER_SEED, &[caller_bump]];
        let signers = [seeds];
        let program = self.vault_manager_program.key();
        let cpi = CpiContext::new_with_signer(program, accounts, &signers);
        vault_manager::cpi::lock_collateral(cpi, margin)
    }
}
