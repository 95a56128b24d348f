"""Every wrong way to call an instruction, and the name of the error that refuses it: one table."""

from solders.pubkey import Pubkey

from tests.program import breaks
from tests.program.breaks import argument, instead
from tests.program.cases import Refusal, at, each, each_argument, each_created, each_flagged, holds
from tests.program.scene import IDLS, POSITIONS, VAULTS
from tests.program.wrong_accounts import (
    ANOTHER_SEED,
    STRANGE_CALLER,
    STRANGE_PROGRAM,
    TOKEN_2022,
    alice,
    alices_vault_tokens,
    always,
    bobs_tokens,
    bobs_vault_tokens,
    callers_lower_bump,
    lower_bump,
    mallory,
    mallorys_tokens,
    new_mint,
    new_tokens,
    the_admin,
    the_mint,
    the_vault,
    token_2022_mint,
)

U64_MAX = 2**64 - 1
MANY_PROGRAMS = [Pubkey.from_bytes(bytes([number]) * 32) for number in range(1, 12)]

AUTHORITY = ("authority", "vault_authority")
VAULT = ("vault", "from_vault", "to_vault")
OURS = (*AUTHORITY, *VAULT, "config", "position")
VAULT_TOKENS = ("token_account", "from_token_account", "to_token_account")
TOKENS = (*VAULT_TOKENS, "owner_token_account")
PROGRAMS = (
    "token_program",
    "associated_token_program",
    "system_program",
    "vault_manager_program",
    "position_manager_program",
)
SET_UP = "initialize_authority initialize_config"
BY_OWNER = "deposit withdraw"
BY_CALLER = "lock_collateral unlock_collateral transfer_collateral"
BY_POSITIONS = "open_position close_position settle_position"
ACCEPTING = "accept_admin accept_settlement_admin"
BY_ADMIN = "add_authorized_program remove_authorized_program propose_admin"
SPENDING = "withdraw lock_collateral transfer_collateral"
PAYING = "transfer_collateral settle_position"

# In `initialize_authority` the program is passed twice, and it does not matter where.
EMITTING = " ".join(name for name in VAULTS.instructions if name != "initialize_authority")

PAYERS = [
    ("initialize_authority", "admin"),
    ("initialize_vault", "owner"),
    ("initialize_config", "admin"),
    ("open_position", "owner"),
]

REFUSALS = [
    # Who calls.
    Refusal(
        wrong="a signature is missing",
        error="AccountNotSigner",
        cases=each_flagged("signer", breaks.unsigned),
    ),
    Refusal(
        wrong="another owner signs for a vault",
        error="WrongOwner",
        cases=at(BY_OWNER, "owner", breaks.as_bob),
    ),
    Refusal(
        wrong="another owner signs for a position on the vault",
        error="WrongVault",
        cases=at("open_position close_position", "owner", breaks.as_bob)
        | at("settle_position", "position", breaks.position_of_bobs),
    ),
    Refusal(
        wrong="another than the owner creates the vault, or opens or closes the position",
        error="ConstraintSeeds",
        cases=at("initialize_vault open_position close_position", "owner", instead("owner", mallory)),
    ),
    Refusal(
        wrong="not the admin",
        error="NotAdmin",
        cases=at(f"{BY_ADMIN} settle_position propose_settlement_admin", "admin", instead("admin", mallory)),
    ),
    Refusal(
        wrong="somebody else comes first to set up",
        error="NotUpgradeAuthority",
        cases=at(SET_UP, "admin", instead("admin", mallory))
        | at(SET_UP, "nobody can upgrade the program", breaks.nobody_can_upgrade),
    ),
    Refusal(
        wrong="the upgrade authority of another program sets up",
        error="WrongProgramData",
        cases=at(SET_UP, "program_data", breaks.with_another_programs_data),
    ),
    Refusal(
        wrong="never proposed as admin, or the proposal is stale: replaced, withdrawn or used",
        error="NotPendingAdmin",
        cases=at(ACCEPTING, "pending_admin", instead("pending_admin", mallory))
        | at(ACCEPTING, "replaced", breaks.proposed_instead(mallory))
        | at(ACCEPTING, "withdrawn", breaks.proposed_instead(the_admin))
        | at(ACCEPTING, "used", breaks.done_already),
    ),
    Refusal(
        wrong="the caller is a user, the admin, or the authorised program itself",
        error="UnauthorizedCaller",
        cases=at(BY_CALLER, "caller", instead("caller", mallory))
        | at(BY_CALLER, "the admin", instead("caller", the_admin))
        | at(BY_CALLER, "the program", instead("caller", always(POSITIONS.program))),
    ),
    Refusal(
        wrong="the caller is a PDA of another program",
        error="UnauthorizedCaller",
        cases=at(BY_CALLER, "of another program", instead("caller", always(STRANGE_CALLER))),
    ),
    Refusal(
        wrong="the caller is a PDA with other seeds, or with another bump",
        error="UnauthorizedCaller",
        cases=at(BY_CALLER, "other seeds", instead("caller", always(ANOTHER_SEED)))
        | at(BY_CALLER, "another bump", instead("caller", callers_lower_bump)),
    ),
    Refusal(
        wrong="a third program makes the call, and the authorised program does not sign",
        error="AccountNotSigner",
        cases=at(BY_CALLER, "a third program", breaks.relayed_unsigned),
    ),
    Refusal(
        wrong="a third program makes the call, and signs with its own address of the same seed",
        error="UnauthorizedCaller",
        cases=at(BY_CALLER, "a third program", breaks.relayed_signed),
    ),
    Refusal(
        wrong="the calling program was removed a moment before",
        error="UnauthorizedCaller",
        cases=at(f"{BY_CALLER} {BY_POSITIONS}", "before", breaks.removed)
        | at(f"{BY_CALLER} {BY_POSITIONS}", "in the same transaction", breaks.removed_in_the_same_transaction),
    ),
    # Which accounts.
    Refusal(
        wrong="an account to be changed is passed as read-only",
        error="ConstraintMut",
        cases={
            case: broken for case, broken in each_flagged("writable", breaks.read_only).items() if case not in PAYERS
        },
    ),
    Refusal(
        wrong="who pays for a new account, or that account, is passed as read-only",
        error="PrivilegeEscalation",
        cases={case: breaks.read_only(case[1]) for case in PAYERS} | each_created(breaks.read_only),
    ),
    Refusal(
        wrong="an account of ours at an address that is not derived",
        error="ConstraintSeeds",
        cases=each(OURS, breaks.elsewhere),
    ),
    Refusal(
        wrong="a wrong bump",
        error="ConstraintSeeds",
        cases=each(OURS, breaks.wrong_bump) | each_created(lambda name: instead(name, lower_bump(name))),
    ),
    Refusal(
        wrong="the caller at another address",
        error="ConstraintSeeds",
        cases=each(["caller"], lambda name: instead(name, always(STRANGE_CALLER)), BY_POSITIONS),
    ),
    Refusal(
        wrong="an account that another program wrote",
        error="AccountOwnedByWrongProgram",
        cases=each((*OURS, *TOKENS, "collateral_mint", "program_data"), breaks.of_another_program)
        | at("initialize_vault", "token_account", breaks.made_by(STRANGE_PROGRAM))
        | at("initialize_vault", "token_account of Token-2022", breaks.made_by(TOKEN_2022)),
    ),
    Refusal(
        wrong="an account of ours, but of another kind",
        error="AccountDiscriminatorMismatch",
        cases=each(OURS, breaks.of_another_kind),
    ),
    Refusal(
        wrong="a mint where a token account should be, or a token account where a mint should be",
        error="InvalidAccountData",
        cases=each(TOKENS, lambda name: breaks.holding(name, the_mint))
        | each(["collateral_mint"], lambda name: breaks.holding(name, mallorys_tokens))
        | at("initialize_vault", "token_account", breaks.mint_before),
    ),
    Refusal(
        wrong="a closed account",
        error="AccountNotInitialized",
        cases=each((*OURS, *TOKENS, "collateral_mint", "program_data"), breaks.closed),
    ),
    Refusal(
        wrong="a closed account that was revived empty",
        error="AccountDiscriminatorMismatch",
        cases=each(OURS, breaks.zeroed),
    ),
    Refusal(
        wrong="initialised twice",
        error="AccountAlreadyInUse",
        cases=each_created(lambda _: breaks.done_already),
    ),
    Refusal(
        wrong="another program in a program's place, Token-2022 too",
        error="InvalidProgramId",
        cases=each(PROGRAMS, lambda name: instead(name, always(STRANGE_PROGRAM)))
        | {
            (instruction, "Token-2022"): instead("token_program", always(TOKEN_2022))
            for instruction, _ in each(["token_program"], breaks.closed)
        },
    ),
    Refusal(
        wrong="another address than that which signs the event",
        error="ConstraintAddress",
        cases=each(["event_authority"], lambda name: instead(name, mallory)),
    ),
    Refusal(
        wrong="another program than that which emits the event",
        error="MissingAccount",
        cases=each(["program"], lambda name: instead(name, mallory), EMITTING),
    ),
    Refusal(
        wrong="an account too few",
        error="AccountNotEnoughKeys",
        cases={(name, "the last"): breaks.left_out(idl.accounts_of(name)[-1]) for name, idl in IDLS.items()},
    ),
    Refusal(
        wrong="the same token account twice",
        error="ConstraintDuplicateMutableAccount",
        cases=at(BY_OWNER, "owner_token_account", instead("owner_token_account", alices_vault_tokens)),
    ),
    # Which tokens.
    Refusal(
        wrong="another vault's token account",
        error="WrongTokenAccount",
        cases=each(["token_account", "from_token_account"], lambda name: instead(name, bobs_vault_tokens))
        | each(["to_token_account"], lambda name: instead(name, alices_vault_tokens)),
    ),
    Refusal(
        wrong="a token account that is the owner's, or the vault's but not its associated one",
        error="WrongTokenAccount",
        cases=each(VAULT_TOKENS, lambda name: instead(name, new_tokens(the_mint, alice)))
        | at(
            "deposit withdraw lock_collateral unlock_collateral",
            "the vault's",
            instead("token_account", new_tokens(the_mint, the_vault)),
        ),
    ),
    Refusal(
        wrong="a vault's token account is not its associated one",
        error="AccountNotAssociatedTokenAccount",
        cases=at("initialize_vault", "token_account", instead("token_account", new_tokens(the_mint, the_vault))),
    ),
    Refusal(
        wrong="the associated token account is somebody else's",
        error="ConstraintTokenOwner",
        cases=at("initialize_vault", "owner", breaks.made_before(the_mint, mallory)),
    ),
    Refusal(
        wrong="the associated token account is of another mint",
        error="ConstraintTokenMint",
        cases=at("initialize_vault", "mint", breaks.made_before(new_mint, the_vault)),
    ),
    Refusal(
        wrong="somebody else's tokens, or to somebody else",
        error="WrongTokenOwner",
        cases=at(BY_OWNER, "owner_token_account", instead("owner_token_account", bobs_tokens)),
    ),
    Refusal(
        wrong="a wrong mint",
        error="WrongMint",
        cases=at("initialize_vault", "collateral_mint", breaks.vault_of_another_mint)
        | at(f"{BY_OWNER} {PAYING}", "collateral_mint", instead("collateral_mint", new_mint))
        | at(BY_OWNER, "owner_token_account", instead("owner_token_account", new_tokens(new_mint, alice))),
    ),
    Refusal(
        wrong="a mint of Token-2022",
        error="AccountOwnedByWrongProgram",
        cases=each(["collateral_mint"], lambda name: instead(name, token_2022_mint)),
    ),
    Refusal(
        wrong="a frozen token account",
        error="TokenAccountFrozen",
        cases=each(TOKENS, breaks.frozen, f"{BY_OWNER} {PAYING}"),
    ),
    # How much.
    Refusal(wrong="an amount of zero", error="ZeroAmount", cases=each_argument(0, "amount", "margin")),
    Refusal(
        wrong="more than the token account holds",
        error="InsufficientTokens",
        cases=at("deposit", "one more", argument("amount", 501)) | at("deposit", "u64", argument("amount", U64_MAX)),
    ),
    Refusal(
        wrong="more than is available",
        error="InsufficientAvailable",
        cases=at(SPENDING, "u64", argument("amount", U64_MAX))
        | at("open_position", "u64", argument("margin", U64_MAX)),
    ),
    Refusal(
        wrong="what is locked",
        error="InsufficientAvailable",
        cases=at(SPENDING, "one unit of it", argument("amount", 601))
        | at("open_position", "one unit of it", argument("margin", 601)),
    ),
    Refusal(
        wrong="more than is locked",
        error="InsufficientLocked",
        cases=at("unlock_collateral", "one more", argument("amount", 401))
        | at("unlock_collateral", "u64", argument("amount", U64_MAX))
        | at("close_position settle_position", "another program unlocked it", breaks.margin_unlocked),
    ),
    Refusal(
        wrong="more than is left of the margin",
        error="AmountExceedsMargin",
        cases=at("settle_position", "one more", argument("amount", 401))
        | at("settle_position", "u64", argument("amount", U64_MAX))
        | at("settle_position", "paid out before", breaks.margin_paid_out),
    ),
    Refusal(
        wrong="a balance beyond u64",
        error="Overflow",
        cases=holds("total_balance", U64_MAX, "vault", "deposit")
        | holds("available_balance", U64_MAX, "vault", "deposit unlock_collateral close_position")
        | holds("locked_balance", U64_MAX, "vault", "lock_collateral open_position")
        | holds("locked_balance", U64_MAX, "vault", "deposit withdraw")
        | holds("total_balance", U64_MAX, "to_vault", PAYING)
        | holds("available_balance", U64_MAX, "to_vault", PAYING),
    ),
    # To whom, and how often.
    Refusal(
        wrong="a transfer to the same vault",
        error="SelfTransfer",
        cases=at(PAYING, "to_vault", breaks.to_oneself),
    ),
    Refusal(
        wrong="an eleventh program",
        error="TooManyPrograms",
        cases=at("add_authorized_program", "program", breaks.programs_listed(10)),
    ),
    Refusal(
        wrong="the same program twice",
        error="ProgramAlreadyAuthorized",
        cases=at("add_authorized_program", "program", argument("program", POSITIONS.program)),
    ),
    Refusal(
        wrong="a program that is not in the list",
        error="ProgramNotAuthorized",
        cases=at("remove_authorized_program", "program", argument("program", STRANGE_PROGRAM)),
    ),
    Refusal(
        wrong="another position than the number says",
        error="ConstraintSeeds",
        cases=at("open_position close_position", "id", argument("id", 9)),
    ),
    Refusal(
        wrong="another position than the one that is to be settled, or a later one under the same number",
        error="AnotherPosition",
        cases=at("settle_position", "serial", argument("serial", 9))
        | at("settle_position", "another's", breaks.serial_of_bobs)
        | at("settle_position", "opened anew", breaks.opened_anew),
    ),
    Refusal(
        wrong="one position more than can be counted",
        error="TooManyPositions",
        cases=holds("positions_opened", U64_MAX, "config", "open_position"),
    ),
    Refusal(
        wrong="the data ends too early",
        error="InstructionDidNotDeserialize",
        cases={(name, "data"): breaks.data_cut_short for name, idl in IDLS.items() if idl.arguments_of(name)},
    ),
    # What no instruction leaves behind, and none accepts.
    Refusal(
        wrong="balances that do not add up",
        error="BalancesDoNotAddUp",
        cases=each(VAULT, lambda name: breaks.number(name, "total_balance", 999))
        | holds("total_balance", 99, "vault", "withdraw")
        | holds("total_balance", 99, "from_vault", PAYING),
    ),
    Refusal(
        wrong="fewer tokens than the total",
        error="TokensBelowTotal",
        cases=each(VAULT_TOKENS, lambda name: breaks.tokens(name, 999)),
    ),
    Refusal(
        wrong="a list with one program twice",
        error="ProgramAlreadyAuthorized",
        cases=at(f"{BY_ADMIN} accept_admin", "authority", breaks.listed(STRANGE_PROGRAM, STRANGE_PROGRAM)),
    ),
    Refusal(
        wrong="a list with more than ten programs",
        error="TooManyPrograms",
        cases=at(f"{BY_ADMIN} accept_admin", "authority", breaks.listed(*MANY_PROGRAMS)),
    ),
]
