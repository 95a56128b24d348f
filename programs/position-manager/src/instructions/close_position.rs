//! Closes a position and unlocks what is left of its margin.

use anchor_lang::prelude::*;
use vault_manager::program::VaultManager;
use vault_manager::{CollateralVault, VAULT_CALLER_SEED};

use crate::errors::PositionError;
use crate::seeds::POSITION_SEED;
use crate::state::Position;

#[derive(Accounts)]
#[instruction(id: u64)]
pub struct ClosePosition<'info> {
    /// Gets back the rent of the position's account.
    #[account(mut)]
    pub owner: Signer<'info>,

    #[account(
        mut,
        close = owner,
        seeds = [POSITION_SEED, owner.key().as_ref(), &id.to_le_bytes()],
        bump = position.bump,
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
}

impl ClosePosition<'_> {
    pub fn close_position(ctx: Context<Self>, _id: u64) -> Result<()> {
        let margin = ctx.accounts.position.margin;
        if margin == 0 {
            return Ok(()); // Settled to the last unit: nothing is locked for it any more.
        }
        ctx.accounts.unlock(margin, ctx.bumps.caller)
    }

    fn unlock(&self, margin: u64, caller_bump: u8) -> Result<()> {
        let accounts = vault_manager::cpi::accounts::UnlockCollateral {
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
        vault_manager::cpi::unlock_collateral(cpi, margin)
    }
}
