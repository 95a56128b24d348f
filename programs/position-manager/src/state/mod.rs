//! The accounts of this program.

mod config;
mod position;

pub use config::*;
pub use position::*;
