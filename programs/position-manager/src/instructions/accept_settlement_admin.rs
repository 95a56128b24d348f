//! Makes the proposed settlement admin the settlement admin.

use anchor_lang::prelude::*;

use crate::errors::PositionError;
use crate::seeds::CONFIG_SEED;
use crate::state::Config;

#[derive(Accounts)]
pub struct AcceptSettlementAdmin<'info> {
    pub pending_admin: Signer<'info>,

    #[account(
        mut,
        seeds = [CONFIG_SEED],
        bump = config.bump,
        constraint = config.pending_admin == Some(pending_admin.key()) @ PositionError::NotPendingAdmin,
    )]
    pub config: Account<'info, Config>,
}

impl AcceptSettlementAdmin<'_> {
    pub fn accept_settlement_admin(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.config.admin = ctx.accounts.pending_admin.key();
        ctx.accounts.config.pending_admin = None;
        Ok(())
    }
}
