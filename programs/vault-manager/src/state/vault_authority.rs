//! Who governs all vaults: the admin, the collateral mint and the authorised programs.

use anchor_lang::prelude::*;

use crate::errors::VaultError;
use crate::seeds::VAULT_CALLER_SEED;

/// How many programs can be authorised at a time.
pub const MAX_AUTHORIZED_PROGRAMS: usize = 10;

/// PDA `["authority"]`; there is one.
#[account]
#[derive(InitSpace, Debug, PartialEq, Eq)]
pub struct VaultAuthority {
    /// Adds and removes authorised programs and names the next admin.
    pub admin: Pubkey,
    /// Who becomes admin by accepting; none most of the time.
    pub pending_admin: Option<Pubkey>,
    /// The one mint (legacy SPL Token) that vaults hold.
    pub collateral_mint: Pubkey,
    /// The programs that may lock, unlock and transfer, each at most once.
    #[max_len(MAX_AUTHORIZED_PROGRAMS)]
    pub authorized_programs: Vec<AuthorizedProgram>,
    /// Bump of this address.
    pub bump: u8,
    /// Zeroes, room for later fields.
    pub reserved: [u8; 64],
}

/// A program that may lock, unlock and transfer, with the address by which it signs.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizedProgram {
    /// The program's id.
    pub program: Pubkey,
    /// PDA `["vault_caller"]` of that program, derived here when it was added.
    pub caller: Pubkey,
}

impl VaultAuthority {
    pub fn new(admin: Pubkey, collateral_mint: Pubkey, bump: u8) -> Self {
        Self {
            admin,
            pending_admin: None,
            collateral_mint,
            authorized_programs: Vec::new(),
            bump,
            reserved: [0; 64],
        }
    }

    /// The authorised program that `caller`, a signer, speaks for.
    pub fn program_of(&self, caller: &Pubkey) -> Result<Pubkey> {
        let found = self
            .authorized_programs
            .iter()
            .find(|entry| entry.caller == *caller);
        Ok(found.ok_or(VaultError::UnauthorizedCaller)?.program)
    }

    pub fn add(&mut self, program: Pubkey) -> Result<()> {
        require!(!self.lists(&program), VaultError::ProgramAlreadyAuthorized);
        require!(
            self.authorized_programs.len() < MAX_AUTHORIZED_PROGRAMS,
            VaultError::TooManyPrograms
        );
        let (caller, _bump) = Pubkey::find_program_address(&[VAULT_CALLER_SEED], &program);
        self.authorized_programs
            .push(AuthorizedProgram { program, caller });
        Ok(())
    }

    pub fn remove(&mut self, program: Pubkey) -> Result<()> {
        require!(self.lists(&program), VaultError::ProgramNotAuthorized);
        self.authorized_programs
            .retain(|entry| entry.program != program);
        Ok(())
    }

    /// In place of an earlier proposal; proposing the admin itself leaves none.
    pub fn propose(&mut self, new_admin: Pubkey) {
        self.pending_admin = (new_admin != self.admin).then_some(new_admin);
    }

    /// What must hold when an instruction ends.
    pub fn invariant(&self) -> Result<()> {
        require!(
            self.authorized_programs.len() <= MAX_AUTHORIZED_PROGRAMS,
            VaultError::TooManyPrograms
        );
        for (place, entry) in self.authorized_programs.iter().enumerate() {
            let later = &self.authorized_programs[place + 1..];
            let twice = later.iter().any(|other| other.program == entry.program);
            require!(!twice, VaultError::ProgramAlreadyAuthorized);
        }
        Ok(())
    }

    fn lists(&self, program: &Pubkey) -> bool {
        self.authorized_programs
            .iter()
            .any(|entry| entry.program == *program)
    }
}
