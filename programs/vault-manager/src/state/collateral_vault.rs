//! One user's collateral, and the arithmetic of its balances.

use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;

use crate::errors::VaultError;

/// PDA `["vault", owner]`. Balances are in base units of the collateral mint.
#[account]
#[derive(InitSpace, Debug, PartialEq, Eq)]
pub struct CollateralVault {
    /// The user whose collateral this is.
    pub owner: Pubkey,
    /// The vault's associated token account of the collateral mint; the vault is its authority.
    pub token_account: Pubkey,
    /// Base units that belong to the owner: locked + available.
    pub total_balance: u64,
    /// Base units that authorised programs hold back.
    pub locked_balance: u64,
    /// Base units that can be withdrawn, locked or transferred.
    pub available_balance: u64,
    /// Base units ever deposited by the owner, or `u64::MAX` where they were more; transfers do not count.
    pub total_deposited: u64,
    /// Base units ever withdrawn by the owner, or `u64::MAX` where they were more; transfers do not count.
    pub total_withdrawn: u64,
    /// Unix time, in seconds, of the initialisation.
    pub created_at: i64,
    /// Unix time, in seconds, of the last change.
    pub last_updated: i64,
    /// Bump of this address.
    pub bump: u8,
    /// Zeroes, room for later fields.
    pub reserved: [u8; 64],
}

impl CollateralVault {
    pub fn new(owner: Pubkey, token_account: Pubkey, bump: u8, now: i64) -> Self {
        Self {
            owner,
            token_account,
            total_balance: 0,
            locked_balance: 0,
            available_balance: 0,
            total_deposited: 0,
            total_withdrawn: 0,
            created_at: now,
            last_updated: now,
            bump,
            reserved: [0; 64],
        }
    }

    /// What was ever deposited or withdrawn is only counted: however much it was, nobody's money waits for it.
    pub fn deposit(&mut self, amount: u64, now: i64) -> Result<()> {
        self.total_deposited = self.total_deposited.saturating_add(amount);
        self.receive(amount, now)
    }

    pub fn withdraw(&mut self, amount: u64, now: i64) -> Result<()> {
        self.total_withdrawn = self.total_withdrawn.saturating_add(amount);
        self.send(amount, now)
    }

    /// Takes `amount` in, as available.
    pub fn receive(&mut self, amount: u64, now: i64) -> Result<()> {
        self.total_balance = add(self.total_balance, amount)?;
        self.available_balance = add(self.available_balance, amount)?;
        self.last_updated = now;
        Ok(())
    }

    /// Gives `amount` away, of what is available.
    pub fn send(&mut self, amount: u64, now: i64) -> Result<()> {
        self.available_balance = self.available_less(amount)?;
        self.total_balance = self
            .total_balance
            .checked_sub(amount)
            .ok_or(VaultError::BalancesDoNotAddUp)?;
        self.last_updated = now;
        Ok(())
    }

    pub fn lock(&mut self, amount: u64, now: i64) -> Result<()> {
        self.available_balance = self.available_less(amount)?;
        self.locked_balance = add(self.locked_balance, amount)?;
        self.last_updated = now;
        Ok(())
    }

    pub fn unlock(&mut self, amount: u64, now: i64) -> Result<()> {
        self.locked_balance = self
            .locked_balance
            .checked_sub(amount)
            .ok_or(VaultError::InsufficientLocked)?;
        self.available_balance = add(self.available_balance, amount)?;
        self.last_updated = now;
        Ok(())
    }

    /// What must hold when an instruction ends. `tokens` is as it is now, reloaded after any token transfer.
    /// More tokens than the total are no fault: anybody can send tokens to the account.
    pub fn invariant(&self, tokens: &TokenAccount) -> Result<()> {
        let sum = add(self.locked_balance, self.available_balance)?;
        require!(self.total_balance == sum, VaultError::BalancesDoNotAddUp);
        require!(
            tokens.amount >= self.total_balance,
            VaultError::TokensBelowTotal
        );
        Ok(())
    }

    fn available_less(&self, amount: u64) -> Result<u64> {
        Ok(self
            .available_balance
            .checked_sub(amount)
            .ok_or(VaultError::InsufficientAvailable)?)
    }
}

fn add(balance: u64, amount: u64) -> Result<u64> {
    Ok(balance.checked_add(amount).ok_or(VaultError::Overflow)?)
}
