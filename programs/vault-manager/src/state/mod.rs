//! The accounts of this program.

mod collateral_vault;
mod vault_authority;

pub use collateral_vault::*;
pub use vault_authority::*;
