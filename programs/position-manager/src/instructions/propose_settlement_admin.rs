//! Names the next settlement admin, who has to accept; replaces an earlier proposal.

use anchor_lang::prelude::*;

use crate::errors::PositionError;
use crate::seeds::CONFIG_SEED;
use crate::state::Config;

#[derive(Accounts)]
pub struct ProposeSettlementAdmin<'info> {
    pub admin: Signer<'info>,

    #[account(
        mut,
        seeds = [CONFIG_SEED],
        bump = config.bump,
        has_one = admin @ PositionError::NotAdmin,
    )]
    pub config: Account<'info, Config>,
}

impl ProposeSettlementAdmin<'_> {
    pub fn propose_settlement_admin(ctx: Context<Self>, new_admin: Pubkey) -> Result<()> {
        ctx.accounts.config.propose(new_admin);
        Ok(())
    }
}
