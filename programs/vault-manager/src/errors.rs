//! Every reason for which this program refuses.

use anchor_lang::prelude::*;

#[error_code]
pub enum VaultError {
    #[msg("The amount must be greater than zero")]
    ZeroAmount,
    #[msg("A balance would exceed the largest amount that can be stored")]
    Overflow,
    #[msg("The amount exceeds the vault's available balance")]
    InsufficientAvailable,
    #[msg("The amount exceeds the vault's locked balance")]
    InsufficientLocked,
    #[msg("The signer is not the owner of this vault")]
    WrongOwner,
    #[msg("The mint is not the collateral mint")]
    WrongMint,
    #[msg("The token account is not this vault's own")]
    WrongTokenAccount,
    #[msg("The token account does not belong to the owner of the vault")]
    WrongTokenOwner,
    #[msg("The caller is not the vault_caller address of an authorised program")]
    UnauthorizedCaller,
    #[msg("The signer is not the admin")]
    NotAdmin,
    #[msg("The signer is not the proposed admin")]
    NotPendingAdmin,
    #[msg("The signer is not the upgrade authority of this program")]
    NotUpgradeAuthority,
    #[msg("The account is not the ProgramData account of this program")]
    WrongProgramData,
    #[msg("The list of authorised programs is full")]
    TooManyPrograms,
    #[msg("The program is authorised already")]
    ProgramAlreadyAuthorized,
    #[msg("The program is not authorised")]
    ProgramNotAuthorized,
    #[msg("A vault cannot transfer to itself")]
    SelfTransfer,
    #[msg("The total balance is not the sum of the locked and the available balance")]
    BalancesDoNotAddUp,
    #[msg("The vault's token account holds less than the vault's total balance")]
    TokensBelowTotal,
    #[msg("The token account is frozen")]
    TokenAccountFrozen,
    #[msg("The amount exceeds what the owner's token account holds")]
    InsufficientTokens,
}
