"""Facts and evidence that the processes of these tests write."""

from eventstore.facts import Deposited
from eventstore.port import Evidence


def deposit(signature: str, slot: int) -> Deposited:
    return Deposited(
        signature=signature,
        slot=slot,
        transaction_index=0,
        ordinal=0,
        revision=0,
        block_time=None,
        timestamp=slot,
        vault=f"vault-{slot % 7}",
        owner="owner",
        amount=1,
        total_balance=1,
        locked_balance=0,
        available_balance=1,
    )


def evidence(signature: str, slot: int) -> Evidence:
    return Evidence(signature, slot, 0, None, b'{"slot":%d}' % slot, "http://node", is_final=True)
