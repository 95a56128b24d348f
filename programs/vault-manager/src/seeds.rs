//! The seeds of every program-derived address.

use anchor_lang::prelude::*;

/// `VaultAuthority`: `["authority"]` of this program.
#[constant]
pub const AUTHORITY_SEED: &[u8] = b"authority";

/// `CollateralVault`: `["vault", owner]` of this program.
#[constant]
pub const VAULT_SEED: &[u8] = b"vault";

/// The signer by which an authorised program shows its consent: `["vault_caller"]` of *that* program.
#[constant]
pub const VAULT_CALLER_SEED: &[u8] = b"vault_caller";
