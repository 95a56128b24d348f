//! One file per instruction: its accounts, what it validates, what it does.

mod accept_admin;
mod add_authorized_program;
mod deposit;
mod initialize_authority;
mod initialize_vault;
mod lock_collateral;
mod propose_admin;
mod remove_authorized_program;
mod transfer_collateral;
mod unlock_collateral;
mod withdraw;

pub use accept_admin::*;
pub use add_authorized_program::*;
pub use deposit::*;
pub use initialize_authority::*;
pub use initialize_vault::*;
pub use lock_collateral::*;
pub use propose_admin::*;
pub use remove_authorized_program::*;
pub use transfer_collateral::*;
pub use unlock_collateral::*;
pub use withdraw::*;
