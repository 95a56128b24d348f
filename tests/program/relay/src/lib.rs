//! For tests only: calls whatever program it is told to, with its own `vault_caller` signature where it is told to.
//!
//! Accounts: the program to call, then those to call it with. Data: the bump of `["vault_caller"]` of this program, or 0
//! to sign nothing, then the data to call it with. Who has signed for this program signs for the one it calls.

use anchor_lang::prelude::*;
use anchor_lang::solana_program::entrypoint::ProgramResult;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::program::invoke_signed;

const VAULT_CALLER_SEED: &[u8] = b"vault_caller";

#[cfg(not(feature = "no-entrypoint"))]
anchor_lang::solana_program::entrypoint!(relay);

pub fn relay(program: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let (callee, passed) = accounts
        .split_first()
        .ok_or(ProgramError::NotEnoughAccountKeys)?;
    let (bump, data) = data
        .split_first()
        .ok_or(ProgramError::InvalidInstructionData)?;
    let seeds: &[&[u8]] = &[VAULT_CALLER_SEED, &[*bump]];
    let caller = match bump {
        0 => None,
        _ => Some(Pubkey::create_program_address(seeds, program)?),
    };
    let call = Instruction {
        program_id: callee.key(),
        accounts: passed.iter().map(|account| meta(account, caller)).collect(),
        data: data.to_vec(),
    };
    match caller {
        None => invoke_signed(&call, passed, &[]),
        Some(_) => invoke_signed(&call, passed, &[seeds]),
    }
}

fn meta(account: &AccountInfo, caller: Option<Pubkey>) -> AccountMeta {
    AccountMeta {
        pubkey: account.key(),
        is_signer: account.is_signer || caller == Some(account.key()),
        is_writable: account.is_writable,
    }
}
