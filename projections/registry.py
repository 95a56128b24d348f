"""All projections, by name."""

from projections.audit_logs import AUDIT_LOGS
from projections.balance_snapshots import BALANCE_SNAPSHOTS
from projections.coverage import COVERAGE
from projections.errors import ProjectionUnknown
from projections.projection import Projection
from projections.transactions import TRANSACTIONS
from projections.tvl_stats import TVL_STATS
from projections.vaults import VAULTS

PROJECTIONS: dict[str, Projection] = {
    p.name: p for p in (VAULTS, TRANSACTIONS, BALANCE_SNAPSHOTS, TVL_STATS, AUDIT_LOGS, COVERAGE)
}


def named(names: list[str] | None) -> list[Projection]:
    """Those, or all. Raises ProjectionUnknown."""
    for name in names or []:
        if name not in PROJECTIONS:
            raise ProjectionUnknown(name, list(PROJECTIONS))
    return [PROJECTIONS[name] for name in dict.fromkeys(names)] if names else list(PROJECTIONS.values())


def shares(projections: list[Projection], workers: int) -> list[list[Projection]]:
    """Among as many workers, or fewer, alike in work."""
    shared: list[list[Projection]] = [[] for _ in range(min(workers, len(projections)))]
    for projection in sorted(projections, key=lambda one: -one.share):
        min(shared, key=lambda share: sum(one.share for one in share)).append(projection)
    return [share for share in shared if share]
