//! One open position.

use anchor_lang::prelude::*;

use crate::errors::PositionError;

/// PDA `["position", owner, id]`.
#[account]
#[derive(InitSpace, Debug, PartialEq, Eq)]
pub struct Position {
    /// Whose position, and whose vault holds its margin.
    pub owner: Pubkey,
    /// Chosen by the owner; free again once the position is closed.
    pub id: u64,
    /// Given by the program, and never to another position: what a settlement names.
    pub serial: u64,
    /// Base units of collateral that are locked for it.
    pub margin: u64,
    /// Unix time, in seconds, of the opening.
    pub opened_at: i64,
    /// Bump of this address.
    pub bump: u8,
    /// Zeroes, room for later fields.
    pub reserved: [u8; 64],
}

impl Position {
    /// Takes `amount` off the margin.
    pub fn pay(&mut self, amount: u64) -> Result<()> {
        self.margin = self
            .margin
            .checked_sub(amount)
            .ok_or(PositionError::AmountExceedsMargin)?;
        Ok(())
    }
}
