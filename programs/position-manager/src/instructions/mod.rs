//! One file per instruction: its accounts, what it validates, what it does.
//!
//! Each passes the signature of the `caller` PDA to the vault-manager and to nobody else: whoever holds it can move
//! every user's collateral.

mod close_position;
mod initialize_config;
mod open_position;
mod settle_position;

pub use close_position::*;
pub use initialize_config::*;
pub use open_position::*;
pub use settle_position::*;
