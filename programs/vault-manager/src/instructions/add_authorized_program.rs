//! Adds a program to those that may lock, unlock and transfer.

use anchor_lang::prelude::*;

use crate::errors::VaultError;
use crate::events::ProgramAuthorized;
use crate::seeds::AUTHORITY_SEED;
use crate::state::VaultAuthority;

#[event_cpi]
#[derive(Accounts)]
pub struct AddAuthorizedProgram<'info> {
    pub admin: Signer<'info>,

    #[account(
        mut,
        seeds = [AUTHORITY_SEED],
        bump = authority.bump,
        has_one = admin @ VaultError::NotAdmin,
    )]
    pub authority: Box<Account<'info, VaultAuthority>>,
}

impl AddAuthorizedProgram<'_> {
    pub fn add_authorized_program(ctx: Context<Self>, program: Pubkey) -> Result<()> {
        ctx.accounts.authority.add(program)?;

        emit_cpi!(ProgramAuthorized {
            authority: ctx.accounts.authority.key(),
            admin: ctx.accounts.admin.key(),
            program,
            timestamp: Clock::get()?.unix_timestamp,
        });
        ctx.accounts.authority.invariant()
    }
}
