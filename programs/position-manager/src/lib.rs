//! The position-manager: opens, closes and settles positions whose margin is locked in the vault-manager.

use anchor_lang::prelude::*;

pub mod errors;
pub mod instructions;
#[cfg(not(feature = "no-entrypoint"))]
mod security;
pub mod seeds;
pub mod state;

pub use errors::*;
pub use instructions::*;
pub use seeds::*;
pub use state::*;

declare_id!("PMxt9H4RpGm5aj7GG1hPfs2HbTAovcJa93cbip2cjBM");

#[program]
pub mod position_manager {
    use super::*;

    /// Sets the settlement admin, once; only the program's upgrade authority may.
    pub fn initialize_config(ctx: Context<InitializeConfig>) -> Result<()> {
        InitializeConfig::initialize_config(ctx)
    }

    /// Opens position `id` of the owner and locks `margin` base units for it.
    pub fn open_position(ctx: Context<OpenPosition>, id: u64, margin: u64) -> Result<()> {
        OpenPosition::open_position(ctx, id, margin)
    }

    /// Closes position `id` of the owner and unlocks what is left of its margin.
    pub fn close_position(ctx: Context<ClosePosition>, id: u64) -> Result<()> {
        ClosePosition::close_position(ctx, id)
    }

    /// Pays `amount` base units of the margin of the position with this serial number to another vault.
    pub fn settle_position(ctx: Context<SettlePosition>, serial: u64, amount: u64) -> Result<()> {
        SettlePosition::settle_position(ctx, serial, amount)
    }

    /// Names the next settlement admin, who must accept; replaces an earlier proposal, and naming the admin withdraws it.
    pub fn propose_settlement_admin(
        ctx: Context<ProposeSettlementAdmin>,
        new_admin: Pubkey,
    ) -> Result<()> {
        ProposeSettlementAdmin::propose_settlement_admin(ctx, new_admin)
    }

    /// Makes the proposed settlement admin the settlement admin.
    pub fn accept_settlement_admin(ctx: Context<AcceptSettlementAdmin>) -> Result<()> {
        AcceptSettlementAdmin::accept_settlement_admin(ctx)
    }
}
