//! Every reason for which this program refuses; the vault-manager's own refusals come on top.

use anchor_lang::prelude::*;

#[error_code]
pub enum PositionError {
    #[msg("The amount must be greater than zero")]
    ZeroAmount,
    #[msg("The amount exceeds the position's margin")]
    AmountExceedsMargin,
    #[msg("The vault does not belong to the owner of the position")]
    WrongVault,
    #[msg("The signer is not the settlement admin")]
    NotAdmin,
    #[msg("The signer is not the proposed settlement admin")]
    NotPendingAdmin,
    #[msg("The signer is not the upgrade authority of this program")]
    NotUpgradeAuthority,
    #[msg("The account is not the ProgramData account of this program")]
    WrongProgramData,
    #[msg("The position at this address is another than the one that was meant")]
    AnotherPosition,
    #[msg("As many positions have been opened as can be counted")]
    TooManyPositions,
}
