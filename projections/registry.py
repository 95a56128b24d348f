"""All projections, by name."""

from projections.errors import ProjectionUnknown
from projections.projection import Projection
from projections.transactions import TRANSACTIONS
from projections.vaults import VAULTS

PROJECTIONS: dict[str, Projection] = {p.name: p for p in (VAULTS, TRANSACTIONS)}


def named(names: list[str] | None) -> list[Projection]:
    """Those, or all. Raises ProjectionUnknown."""
    for name in names or []:
        if name not in PROJECTIONS:
            raise ProjectionUnknown(name, list(PROJECTIONS))
    return [PROJECTIONS[name] for name in dict.fromkeys(names)] if names else list(PROJECTIONS.values())
