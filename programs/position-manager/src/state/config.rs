//! Who settles.

use anchor_lang::prelude::*;

/// PDA `["config"]`; there is one.
#[account]
#[derive(InitSpace, Debug, PartialEq, Eq)]
pub struct Config {
    /// Settles positions.
    pub admin: Pubkey,
    /// Bump of this address.
    pub bump: u8,
    /// Zeroes, room for later fields.
    pub reserved: [u8; 64],
}
