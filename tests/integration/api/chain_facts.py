"""Facts as a chain would tell them: vault `n` has address_of(n), its owner address_of(owner_number(n))."""

from solders.pubkey import Pubkey

from eventstore.facts import CollateralTransferred, Deposited, VaultInitialized

DECIMALS = 6
U64_MAX = 2**64 - 1


def address_of(number: int) -> str:
    return str(Pubkey(number.to_bytes(32, "big")))


def owner_of(vault: int) -> str:
    return address_of(1_000_000 + vault)


def initialized(vault: int, slot: int, *, index: int = 0) -> VaultInitialized:
    return VaultInitialized(
        signature=f"signature-{slot}-{index}",
        slot=slot,
        transaction_index=index,
        ordinal=0,
        revision=0,
        block_time=slot + 1_000,
        timestamp=slot + 1_001,
        vault=address_of(vault),
        owner=owner_of(vault),
        token_account=address_of(2_000_000 + vault),
        mint=address_of(3_000_000),
        decimals=DECIMALS,
        total_balance=0,
        locked_balance=0,
        available_balance=0,
    )


def deposited(vault: int, slot: int, amount: int = 1, *, index: int = 0, ordinal: int = 0) -> Deposited:
    """Of a vault that was empty before."""
    return Deposited(
        signature=f"signature-{slot}-{index}",
        slot=slot,
        transaction_index=index,
        ordinal=ordinal,
        revision=0,
        block_time=None,
        timestamp=slot + 1_001,
        vault=address_of(vault),
        owner=owner_of(vault),
        amount=amount,
        total_balance=amount,
        locked_balance=0,
        available_balance=amount,
    )


def transferred(source: int, to: int, slot: int, amount: int, *, ordinal: int = 0) -> CollateralTransferred:
    """All that the one had, to one that had nothing."""
    return CollateralTransferred(
        signature=f"signature-{slot}-0",
        slot=slot,
        transaction_index=0,
        ordinal=ordinal,
        revision=0,
        block_time=slot + 1_000,
        timestamp=slot + 1_001,
        from_vault=address_of(source),
        from_owner=owner_of(source),
        to_vault=address_of(to),
        to_owner=owner_of(to),
        program=address_of(4_000_000),
        amount=amount,
        from_total_balance=0,
        from_locked_balance=0,
        from_available_balance=0,
        to_total_balance=amount,
        to_locked_balance=0,
        to_available_balance=amount,
    )
