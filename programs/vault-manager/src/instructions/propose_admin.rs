//! Names the next admin, who has to accept; replaces an earlier proposal.

use anchor_lang::prelude::*;

use crate::errors::VaultError;
use crate::events::AdminProposed;
use crate::seeds::AUTHORITY_SEED;
use crate::state::VaultAuthority;

#[event_cpi]
#[derive(Accounts)]
pub struct ProposeAdmin<'info> {
    pub admin: Signer<'info>,

    #[account(
        mut,
        seeds = [AUTHORITY_SEED],
        bump = authority.bump,
        has_one = admin @ VaultError::NotAdmin,
    )]
    pub authority: Box<Account<'info, VaultAuthority>>,
}

impl ProposeAdmin<'_> {
    pub fn propose_admin(ctx: Context<Self>, new_admin: Pubkey) -> Result<()> {
        ctx.accounts.authority.propose(new_admin);

        emit_cpi!(AdminProposed {
            authority: ctx.accounts.authority.key(),
            admin: ctx.accounts.admin.key(),
            pending_admin: new_admin,
            timestamp: Clock::get()?.unix_timestamp,
        });
        ctx.accounts.authority.invariant()
    }
}
