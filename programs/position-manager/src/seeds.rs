//! The seeds of every program-derived address; the caller's is the vault-manager's `VAULT_CALLER_SEED`.

use anchor_lang::prelude::*;

/// `Config`: `["config"]`.
#[constant]
pub const CONFIG_SEED: &[u8] = b"config";

/// `Position`: `["position", owner, id as 8 bytes, little-endian]`.
#[constant]
pub const POSITION_SEED: &[u8] = b"position";
