//! Who settles, and how many positions there ever were.

use anchor_lang::prelude::*;

use crate::errors::PositionError;

/// PDA `["config"]`; there is one.
#[account]
#[derive(InitSpace, Debug, PartialEq, Eq)]
pub struct Config {
    /// Settles positions and names the next settlement admin.
    pub admin: Pubkey,
    /// Who becomes settlement admin by accepting; none most of the time.
    pub pending_admin: Option<Pubkey>,
    /// How many positions were ever opened, the closed ones too.
    pub positions_opened: u64,
    /// Bump of this address.
    pub bump: u8,
    /// Zeroes, room for later fields.
    pub reserved: [u8; 64],
}

impl Config {
    pub fn new(admin: Pubkey, bump: u8) -> Self {
        Self {
            admin,
            pending_admin: None,
            positions_opened: 0,
            bump,
            reserved: [0; 64],
        }
    }

    /// In place of an earlier proposal; proposing the admin itself leaves none.
    pub fn propose(&mut self, new_admin: Pubkey) {
        self.pending_admin = (new_admin != self.admin).then_some(new_admin);
    }

    /// A number, from 1, that no position had before and none will have again.
    pub fn next_serial(&mut self) -> Result<u64> {
        self.positions_opened = self
            .positions_opened
            .checked_add(1)
            .ok_or(PositionError::TooManyPositions)?;
        Ok(self.positions_opened)
    }
}
