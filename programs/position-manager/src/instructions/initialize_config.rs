//! Sets the settlement admin.

use anchor_lang::prelude::*;

use crate::errors::PositionError;
use crate::program::PositionManager;
use crate::seeds::CONFIG_SEED;
use crate::state::Config;

#[derive(Accounts)]
pub struct InitializeConfig<'info> {
    /// The program's upgrade authority, so that nobody comes first; pays for the account.
    #[account(mut)]
    pub admin: Signer<'info>,

    #[account(init, payer = admin, space = 8 + Config::INIT_SPACE, seeds = [CONFIG_SEED], bump)]
    pub config: Account<'info, Config>,

    #[account(
        constraint = program_data.upgrade_authority_address == Some(admin.key()) @ PositionError::NotUpgradeAuthority,
    )]
    pub program_data: Account<'info, ProgramData>,

    #[account(
        constraint = position_manager_program.programdata_address()? == Some(program_data.key()) @ PositionError::WrongProgramData,
    )]
    pub position_manager_program: Program<'info, PositionManager>,

    pub system_program: Program<'info, System>,
}

impl InitializeConfig<'_> {
    pub fn initialize_config(ctx: Context<Self>) -> Result<()> {
        let new = Config::new(ctx.accounts.admin.key(), ctx.bumps.config);
        ctx.accounts.config.set_inner(new);
        Ok(())
    }
}
