//! Makes the proposed admin the admin.

use anchor_lang::prelude::*;

use crate::errors::VaultError;
use crate::events::AdminAccepted;
use crate::seeds::AUTHORITY_SEED;
use crate::state::VaultAuthority;

#[event_cpi]
#[derive(Accounts)]
pub struct AcceptAdmin<'info> {
    pub pending_admin: Signer<'info>,

    #[account(
        mut,
        seeds = [AUTHORITY_SEED],
        bump = authority.bump,
        constraint = authority.pending_admin == Some(pending_admin.key()) @ VaultError::NotPendingAdmin,
    )]
    pub authority: Box<Account<'info, VaultAuthority>>,
}

impl AcceptAdmin<'_> {
    pub fn accept_admin(ctx: Context<Self>) -> Result<()> {
        let authority = &mut ctx.accounts.authority;
        let previous_admin = authority.admin;
        authority.admin = ctx.accounts.pending_admin.key();
        authority.pending_admin = None;

        emit_cpi!(AdminAccepted {
            authority: ctx.accounts.authority.key(),
            previous_admin,
            admin: ctx.accounts.authority.admin,
            timestamp: Clock::get()?.unix_timestamp,
        });
        ctx.accounts.authority.invariant()
    }
}
