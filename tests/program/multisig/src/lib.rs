//! For tests only: a multi-signature wallet. Enough of its members sign, and it calls any program with its own signature.
//!
//! Two of its addresses sign: the wallet, which holds lamports and no data, and the account that lists the members.

use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::program::invoke_signed;

declare_id!("Mu1tis1gForTestsA11111111111111111111111111");

const MEMBERS_SEED: &[u8] = b"members";
const WALLET_SEED: &[u8] = b"wallet";
const MEMBERS_MAX: usize = 5;

#[program]
pub mod multisig {
    use super::*;

    /// `threshold` of the members must sign whatever the wallet signs.
    pub fn create(ctx: Context<Create>, members: Vec<Pubkey>, threshold: u8) -> Result<()> {
        require!(members.len() <= MEMBERS_MAX, MultisigError::TooManyMembers);
        let enough = (1..=members.len()).contains(&usize::from(threshold));
        require!(enough, MultisigError::WrongThreshold);
        ctx.accounts.members.set_inner(Members {
            creator: ctx.accounts.creator.key(),
            members,
            threshold,
        });
        Ok(())
    }

    /// Calls `program` with `data`. The first `approvals` of the remaining accounts are members who sign, the others
    /// those to call it with.
    pub fn execute(ctx: Context<Execute>, approvals: u8, data: Vec<u8>) -> Result<()> {
        let count = usize::from(approvals).min(ctx.remaining_accounts.len());
        let (approving, passed) = ctx.remaining_accounts.split_at(count);
        ctx.accounts.members.check(approving)?;
        let own = [ctx.accounts.wallet.key(), ctx.accounts.members.key()];
        let call = Instruction {
            program_id: ctx.accounts.program.key(),
            accounts: passed.iter().map(|account| meta(account, own)).collect(),
            data,
        };
        let creator = ctx.accounts.members.creator;
        let members = ctx.accounts.members.key();
        let of_wallet: &[&[u8]] = &[WALLET_SEED, members.as_ref(), &[ctx.bumps.wallet]];
        let of_members: &[&[u8]] = &[MEMBERS_SEED, creator.as_ref(), &[ctx.bumps.members]];
        Ok(invoke_signed(&call, passed, &[of_wallet, of_members])?)
    }
}

#[derive(Accounts)]
pub struct Create<'info> {
    /// Pays for the account; has one multisig at most.
    #[account(mut)]
    pub creator: Signer<'info>,

    #[account(
        init,
        payer = creator,
        space = 8 + Members::INIT_SPACE,
        seeds = [MEMBERS_SEED, creator.key().as_ref()],
        bump,
    )]
    pub members: Account<'info, Members>,

    pub system_program: Program<'info, System>,
}

#[derive(Accounts)]
pub struct Execute<'info> {
    #[account(seeds = [MEMBERS_SEED, members.creator.as_ref()], bump)]
    pub members: Account<'info, Members>,

    /// CHECK: an address only; signs what the members sign.
    #[account(seeds = [WALLET_SEED, members.key().as_ref()], bump)]
    pub wallet: UncheckedAccount<'info>,

    /// CHECK: whatever the members agreed to call.
    pub program: UncheckedAccount<'info>,
}

/// PDA `["members", creator]`.
#[account]
#[derive(InitSpace)]
pub struct Members {
    pub creator: Pubkey,
    #[max_len(MEMBERS_MAX)]
    pub members: Vec<Pubkey>,
    pub threshold: u8,
}

impl Members {
    /// Each member counts once.
    fn check(&self, approving: &[AccountInfo]) -> Result<()> {
        let signed = |member: &&Pubkey| {
            approving
                .iter()
                .any(|account| account.is_signer && account.key == *member)
        };
        let count = self.members.iter().filter(signed).count();
        require!(
            count >= usize::from(self.threshold),
            MultisigError::TooFewApprovals
        );
        Ok(())
    }
}

#[error_code]
pub enum MultisigError {
    #[msg("Fewer members have signed than are needed")]
    TooFewApprovals,
    #[msg("There are too many members")]
    TooManyMembers,
    #[msg("The threshold is not between one and the number of members")]
    WrongThreshold,
}

fn meta(account: &AccountInfo, own: [Pubkey; 2]) -> AccountMeta {
    AccountMeta {
        pubkey: account.key(),
        is_signer: account.is_signer || own.contains(account.key),
        is_writable: account.is_writable,
    }
}
