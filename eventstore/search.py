"""The durable state of the search for signatures: walks, what is owed, and how far all is known."""

from collections.abc import Sequence

from eventstore.backend import Transaction
from eventstore.port import Owed, Progress, Walk
from eventstore.tables import OWED

IN_GAP = (
    "EXISTS (SELECT 1 FROM gaps WHERE state <> 'closed' AND gaps.signature = {0}.signature AND from_slot = {0}.slot)"
)
LOWEST = "SELECT slot FROM {0} WHERE NOT " + IN_GAP + " ORDER BY slot LIMIT 1"


def progress(t: Transaction) -> Progress:
    discovered_through, coverage = t.rows("SELECT discovered_through, coverage FROM ingest_state")[0]
    walks = tuple(
        Walk(*row) for row in t.rows("SELECT walk_id, floor, head, cursor FROM walks ORDER BY floor DESC, head DESC")
    )
    owed, unsettled = (t.rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in ("owed", "unsettled"))
    frontier = _below(t, discovered_through, LOWEST.format("owed"))
    settled = _below(t, frontier, LOWEST.format("unsettled"))
    complete = _below(t, settled, "SELECT from_slot FROM gaps WHERE state = 'open' ORDER BY from_slot LIMIT 1")
    return Progress(discovered_through, walks, owed, frontier, unsettled, complete, coverage)


def _below(t: Transaction, slot: int, statement: str) -> int:
    """A slot, or the one below that which the statement finds, if that is lower."""
    rows = t.rows(statement)
    return min(slot, rows[0][0] - 1) if rows else slot


def lowest_owed(t: Transaction, limit: int) -> list[Owed]:
    return [
        Owed(*row) for row in t.rows("SELECT signature, slot, block_time FROM owed ORDER BY slot LIMIT ?", (limit,))
    ]


def not_known(t: Transaction, found: Sequence[Owed], *, head: int) -> list[Owed]:
    """Those of `found` that are neither stored nor owed; up to the finalised slot `head`, also what was reverted."""
    known = t.first_rows(
        "SELECT EXISTS (SELECT 1 FROM evidence WHERE slot = ? AND signature = ?),"
        " EXISTS (SELECT 1 FROM owed WHERE slot = ? AND signature = ?)",
        [(o.slot, o.signature, o.slot, o.signature) for o in found],
    )
    reverted = {
        tuple(row) for row in t.rows("SELECT slot, signature FROM reverts WHERE reinstated = 0 AND slot <= ?", (head,))
    }
    return [
        o
        for o, (is_stored, is_owed) in zip(found, known, strict=True)
        if not is_owed and (not is_stored or (o.slot, o.signature) in reverted)
    ]


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
