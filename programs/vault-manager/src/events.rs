//! What each instruction tells the world: exactly one event, with the balances after the change.
//!
//! Amounts and balances are in base units of the collateral mint; timestamps are the cluster's Unix time in seconds.
//! Emitted by `emit_cpi!` only: anybody can fill the log before calling, but nobody can drop an inner instruction.

use anchor_lang::prelude::*;

#[event]
pub struct AuthorityInitialized {
    pub authority: Pubkey,
    pub admin: Pubkey,
    pub collateral_mint: Pubkey,
    /// Decimals of the collateral mint.
    pub decimals: u8,
    pub timestamp: i64,
}

#[event]
pub struct ProgramAuthorized {
    pub authority: Pubkey,
    pub admin: Pubkey,
    pub program: Pubkey,
    pub timestamp: i64,
}

#[event]
pub struct ProgramRevoked {
    pub authority: Pubkey,
    pub admin: Pubkey,
    pub program: Pubkey,
    pub timestamp: i64,
}

#[event]
pub struct AdminProposed {
    pub authority: Pubkey,
    pub admin: Pubkey,
    pub pending_admin: Pubkey,
    pub timestamp: i64,
}

#[event]
pub struct AdminAccepted {
    pub authority: Pubkey,
    pub previous_admin: Pubkey,
    pub admin: Pubkey,
    pub timestamp: i64,
}

#[event]
pub struct VaultInitialized {
    pub vault: Pubkey,
    pub owner: Pubkey,
    pub token_account: Pubkey,
    pub mint: Pubkey,
    /// Decimals of the collateral mint.
    pub decimals: u8,
    pub total_balance: u64,
    pub locked_balance: u64,
    pub available_balance: u64,
    pub timestamp: i64,
}

#[event]
pub struct Deposited {
    pub vault: Pubkey,
    pub owner: Pubkey,
    pub amount: u64,
    pub total_balance: u64,
    pub locked_balance: u64,
    pub available_balance: u64,
    pub timestamp: i64,
}

#[event]
pub struct Withdrawn {
    pub vault: Pubkey,
    pub owner: Pubkey,
    pub amount: u64,
    pub total_balance: u64,
    pub locked_balance: u64,
    pub available_balance: u64,
    pub timestamp: i64,
}

#[event]
pub struct CollateralLocked {
    pub vault: Pubkey,
    pub owner: Pubkey,
    /// The authorised program that asked.
    pub program: Pubkey,
    pub amount: u64,
    pub total_balance: u64,
    pub locked_balance: u64,
    pub available_balance: u64,
    pub timestamp: i64,
}

#[event]
pub struct CollateralUnlocked {
    pub vault: Pubkey,
    pub owner: Pubkey,
    /// The authorised program that asked.
    pub program: Pubkey,
    pub amount: u64,
    pub total_balance: u64,
    pub locked_balance: u64,
    pub available_balance: u64,
    pub timestamp: i64,
}

#[event]
pub struct CollateralTransferred {
    pub from_vault: Pubkey,
    pub from_owner: Pubkey,
    pub to_vault: Pubkey,
    pub to_owner: Pubkey,
    /// The authorised program that asked.
    pub program: Pubkey,
    pub amount: u64,
    pub from_total_balance: u64,
    pub from_locked_balance: u64,
    pub from_available_balance: u64,
    pub to_total_balance: u64,
    pub to_locked_balance: u64,
    pub to_available_balance: u64,
    pub timestamp: i64,
}
