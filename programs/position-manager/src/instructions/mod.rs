//! One file per instruction: its accounts, what it validates, what it does.
//!
//! Those of positions pass the signature of the `caller` PDA to the vault-manager and to nobody else: whoever holds it can move
//! every user's collateral.

mod accept_settlement_admin;
mod close_position;
mod initialize_config;
mod open_position;
mod propose_settlement_admin;
mod settle_position;

pub use accept_settlement_admin::*;
pub use close_position::*;
pub use initialize_config::*;
pub use open_position::*;
pub use propose_settlement_admin::*;
pub use settle_position::*;
