//! Sets the admin and the collateral mint.

use anchor_lang::prelude::*;
use anchor_spl::token::Mint;

use crate::errors::VaultError;
use crate::events::AuthorityInitialized;
use crate::program::VaultManager;
use crate::seeds::AUTHORITY_SEED;
use crate::state::VaultAuthority;

#[event_cpi]
#[derive(Accounts)]
pub struct InitializeAuthority<'info> {
    /// The program's upgrade authority, so that nobody comes first; pays for the account.
    #[account(mut)]
    pub admin: Signer<'info>,

    #[account(
        init,
        payer = admin,
        space = 8 + VaultAuthority::INIT_SPACE,
        seeds = [AUTHORITY_SEED],
        bump,
    )]
    pub authority: Box<Account<'info, VaultAuthority>>,

    pub collateral_mint: Box<Account<'info, Mint>>,

    #[account(
        constraint = program_data.upgrade_authority_address == Some(admin.key()) @ VaultError::NotUpgradeAuthority,
    )]
    pub program_data: Box<Account<'info, ProgramData>>,

    #[account(
        constraint = vault_manager_program.programdata_address()? == Some(program_data.key()) @ VaultError::WrongProgramData,
    )]
    pub vault_manager_program: Program<'info, VaultManager>,

    pub system_program: Program<'info, System>,
}

impl InitializeAuthority<'_> {
    pub fn initialize_authority(ctx: Context<Self>) -> Result<()> {
        let admin = ctx.accounts.admin.key();
        let mint = ctx.accounts.collateral_mint.key();
        let new = VaultAuthority::new(admin, mint, ctx.bumps.authority);
        ctx.accounts.authority.set_inner(new);

        emit_cpi!(AuthorityInitialized {
            authority: ctx.accounts.authority.key(),
            admin,
            collateral_mint: mint,
            decimals: ctx.accounts.collateral_mint.decimals,
            timestamp: Clock::get()?.unix_timestamp,
        });
        ctx.accounts.authority.invariant()
    }
}
