//! The vault-manager: holds each user's collateral, and locks, unlocks and moves it for programs that it trusts.

use anchor_lang::prelude::*;

pub mod errors;
pub mod events;
pub mod instructions;
#[cfg(not(feature = "no-entrypoint"))]
mod security;
pub mod seeds;
pub mod state;

pub use errors::*;
pub use events::*;
pub use instructions::*;
pub use seeds::*;
pub use state::*;

declare_id!("CVxtopwzPR1UqUTjThq2UqFvfYFxmDsCHpgD6FjcjyGk");

#[program]
pub mod vault_manager {
    use super::*;

    /// Sets the admin and the collateral mint, once; only the program's upgrade authority may.
    pub fn initialize_authority(ctx: Context<InitializeAuthority>) -> Result<()> {
        InitializeAuthority::initialize_authority(ctx)
    }

    /// Creates the owner's vault and its token account; returns the vault's address.
    pub fn initialize_vault(ctx: Context<InitializeVault>) -> Result<Pubkey> {
        InitializeVault::initialize_vault(ctx)
    }

    /// Moves `amount` base units from the owner's token account into the owner's vault.
    pub fn deposit(ctx: Context<Deposit>, amount: u64) -> Result<()> {
        Deposit::deposit(ctx, amount)
    }

    /// Moves `amount` available base units from the owner's vault to the owner's token account.
    pub fn withdraw(ctx: Context<Withdraw>, amount: u64) -> Result<()> {
        Withdraw::withdraw(ctx, amount)
    }

    /// Turns `amount` available base units into locked ones, for an authorised program.
    pub fn lock_collateral(ctx: Context<LockCollateral>, amount: u64) -> Result<()> {
        LockCollateral::lock_collateral(ctx, amount)
    }

    /// Turns `amount` locked base units into available ones, for an authorised program.
    pub fn unlock_collateral(ctx: Context<UnlockCollateral>, amount: u64) -> Result<()> {
        UnlockCollateral::unlock_collateral(ctx, amount)
    }

    /// Moves `amount` available base units from one vault to another, for an authorised program.
    pub fn transfer_collateral(ctx: Context<TransferCollateral>, amount: u64) -> Result<()> {
        TransferCollateral::transfer_collateral(ctx, amount)
    }

    /// Adds `program` to those that may lock, unlock and transfer.
    pub fn add_authorized_program(
        ctx: Context<AddAuthorizedProgram>,
        program: Pubkey,
    ) -> Result<()> {
        AddAuthorizedProgram::add_authorized_program(ctx, program)
    }

    /// Removes `program` from those that may lock, unlock and transfer.
    pub fn remove_authorized_program(
        ctx: Context<RemoveAuthorizedProgram>,
        program: Pubkey,
    ) -> Result<()> {
        RemoveAuthorizedProgram::remove_authorized_program(ctx, program)
    }

    /// Names the next admin, who must accept; replaces an earlier proposal, and naming the admin withdraws it.
    pub fn propose_admin(ctx: Context<ProposeAdmin>, new_admin: Pubkey) -> Result<()> {
        ProposeAdmin::propose_admin(ctx, new_admin)
    }

    /// Makes the proposed admin the admin.
    pub fn accept_admin(ctx: Context<AcceptAdmin>) -> Result<()> {
        AcceptAdmin::accept_admin(ctx)
    }
}
