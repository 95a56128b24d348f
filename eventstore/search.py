"""The durable state of the search for signatures: walks, what is owed, and how far all is known."""

from collections.abc import Sequence

from eventstore.backend import Transaction
from eventstore.port import Owed, Progress, Walk
from eventstore.tables import OWED


def progress(t: Transaction) -> Progress:
    discovered_through, coverage = t.rows("SELECT discovered_through, coverage FROM ingest_state")[0]
    walks = tuple(
        Walk(*row) for row in t.rows("SELECT walk_id, floor, head, cursor FROM walks ORDER BY floor DESC, head DESC")
    )
    owed, lowest = t.rows("SELECT COUNT(*), MIN(slot) FROM owed")[0]
    frontier = discovered_through if lowest is None else min(discovered_through, lowest - 1)
    return Progress(discovered_through, walks, owed, frontier, coverage)


def lowest_owed(t: Transaction, limit: int) -> list[Owed]:
    return [
        Owed(*row) for row in t.rows("SELECT signature, slot, block_time FROM owed ORDER BY slot LIMIT ?", (limit,))
    ]


def not_known(t: Transaction, found: Sequence[Owed]) -> list[Owed]:
    """Those of `found` that are neither stored nor owed."""
    known = t.first_rows(
        "SELECT EXISTS (SELECT 1 FROM evidence WHERE slot = ? AND signature = ?)"
        " OR EXISTS (SELECT 1 FROM owed WHERE slot = ? AND signature = ?)",
        [(o.slot, o.signature, o.slot, o.signature) for o in found],
    )
    return [o for o, (is_known,) in zip(found, known, strict=True) if not is_known]


def owe(t: Transaction, found: Sequence[Owed]) -> None:
    t.insert(OWED, [(o.slot, o.signature, o.block_time) for o in found])


def move_walk(t: Transaction, walk: Walk, cursor: str | None) -> Walk:
    if walk.walk_id is None:
        rows = t.rows(
            "INSERT INTO walks (walk_id, floor, head, cursor)"
            " SELECT coalesce(max(walk_id), 0) + 1, ?, ?, ? FROM walks RETURNING walk_id",
            (walk.floor, walk.head, cursor),
        )
        return walk._replace(walk_id=rows[0][0], cursor=cursor)
    t.execute("UPDATE walks SET cursor = ? WHERE walk_id = ?", (cursor, walk.walk_id))
    return walk._replace(cursor=cursor)


def finish_walk(t: Transaction, walk: Walk) -> Walk:
    """Its range goes to the unfinished walk below it, or, if there is none, discovered-through moves."""
    head = walk.head
    if walk.walk_id is not None:
        # It may have grown: a walk above this one was finished meanwhile.
        head = t.rows("DELETE FROM walks WHERE walk_id = ? RETURNING head", (walk.walk_id,))[0][0]
    t.execute(
        "UPDATE walks SET head = ? WHERE floor < ? AND head >= ? AND head < ?", (head, walk.floor, walk.floor, head)
    )
    t.execute(
        "UPDATE ingest_state SET discovered_through = ?"
        " WHERE discovered_through < ? AND NOT EXISTS (SELECT 1 FROM walks WHERE floor < ?)",
        (head, head, walk.floor),
    )
    return walk._replace(head=head)
