"""The collection `balance_snapshots`: a vault's balances at the end of each hour and day in which they changed."""

from typing import Literal

from eventstore.facts import Fact
from eventstore.identity import chain_order, vaults_of
from eventstore.port import StoredFact
from projections.documents import BalanceSnapshotDocument
from projections.projection import Projection
from projections.vaults import VaultEvent, leg_of

Period = Literal["hourly", "daily"]
PERIODS_S: dict[Period, int] = {"hourly": 3_600, "daily": 86_400}


def touches(fact: Fact) -> tuple[str, ...]:
    if not isinstance(fact, VaultEvent):
        return ()
    starts = [(period, fact.timestamp // length_s * length_s) for period, length_s in PERIODS_S.items()]
    return tuple([f"{vault}:{period}:{start}" for vault in vaults_of(fact) for period, start in starts])


def evolve(snapshot: BalanceSnapshotDocument | None, id_: str, stored: StoredFact) -> BalanceSnapshotDocument:
    """Balances are those of the period's highest event in chain order."""
    event = stored.fact
    assert isinstance(event, VaultEvent), event
    if snapshot is not None:
        last = snapshot.last_slot, snapshot.last_transaction_index, snapshot.last_ordinal
        if chain_order(event) < last:
            return snapshot
    vault, name, start = id_.split(":")
    period: Period = "hourly" if name == "hourly" else "daily"
    leg = leg_of(event, vault)
    return BalanceSnapshotDocument(
        id=id_,
        vault=vault,
        owner=leg.owner,
        period=period,
        start=int(start),
        total_balance=leg.total_balance,
        locked_balance=leg.locked_balance,
        available_balance=leg.available_balance,
        last_slot=event.slot,
        last_transaction_index=event.transaction_index,
        last_ordinal=event.ordinal,
    )


BALANCE_SNAPSHOTS = Projection(
    name="balance_snapshots",
    version=2,
    document=BalanceSnapshotDocument,
    touches=touches,
    evolve=evolve,
    accumulates=True,
    vault_of=lambda id_: id_.split(":")[0],
    indexes=(("vault", "period", "start", "id"), ("period", "start", "id")),
    share=25,
    amounts=frozenset({"total_balance", "locked_balance", "available_balance"}),
)
