"""What is not final yet, what the finalised chain turned out not to have, and what cannot be answered for."""

from collections.abc import Sequence
from typing import Any, TypeVar

from eventstore.backend import Transaction
from eventstore.facts import (
    Fact,
    GapAccepted,
    GapClosed,
    GapFact,
    GapFound,
    InclusionFact,
    TransactionReinstated,
    TransactionReverted,
)
from eventstore.port import Evidence, Gap, Inclusion, Reverted, StoredEvidence
from eventstore.tables import GAPS, REVERTS, UNSETTLED

E = TypeVar("E", Evidence, StoredEvidence)


def unsettled(t: Transaction, through_slot: int, limit: int) -> list[Inclusion]:
    rows = t.rows(
        "SELECT signature, slot FROM unsettled WHERE slot <= ? ORDER BY slot, signature LIMIT ?", (through_slot, limit)
    )
    return [Inclusion(*row) for row in rows]


def unsettle(t: Transaction, evidence: Sequence[Evidence]) -> None:
    """Of evidence that is about to be stored: what is stored already was settled, or waits for it."""
    new = not_stored(t, [e for e in evidence if not e.is_final])
    t.insert(UNSETTLED, [(e.slot, e.signature) for e in new])


def late(t: Transaction, evidence: Sequence[Evidence]) -> list[GapFound | GapClosed]:
    """Of evidence that is about to be stored: what coverage has passed without it was a gap that nobody knew of."""
    coverage = t.rows("SELECT coverage FROM ingest_state")[0][0]
    below = not_stored(t, [e for e in evidence if e.slot <= coverage])
    if not below:
        return []
    known = {(gap.from_slot, gap.signature) for gap in gaps(t)}
    missed = [
        Gap(e.slot, e.slot, e.signature, f"it showed up when slot {coverage} was covered")
        for e in below
        if (e.slot, e.signature) not in known
    ]
    return [*find_gaps(t, missed), *close_gaps(t, [Inclusion(gap.signature or "", gap.from_slot) for gap in missed])]


def not_stored(t: Transaction, evidence: Sequence[E]) -> list[E]:
    """Those of inclusions that there is no evidence of yet."""
    stored = t.first_rows(
        "SELECT EXISTS (SELECT 1 FROM evidence WHERE slot = ? AND signature = ?)",
        [(e.slot, e.signature) for e in evidence],
    )
    return [e for e, (is_stored,) in zip(evidence, stored, strict=True) if not is_stored]


def settle(t: Transaction, inclusions: Sequence[Inclusion]) -> list[TransactionReverted]:
    """That they are final reverts what is unsettled of the same signatures in other slots: none is processed twice."""
    t.delete(UNSETTLED, [(slot, signature) for signature, slot in inclusions])
    if not t.rows("SELECT 1 FROM unsettled LIMIT 1"):
        return []
    others = t.first_rows(
        "SELECT EXISTS (SELECT 1 FROM unsettled WHERE signature = ?)", [(i.signature,) for i in inclusions]
    )
    elsewhere = [
        Reverted(Inclusion(signature, slot), None, final.slot)
        for final, (has_others,) in zip(inclusions, others, strict=True)
        if has_others
        for signature, slot in t.rows("SELECT signature, slot FROM unsettled WHERE signature = ?", (final.signature,))
    ]
    return revert(t, elsewhere)


def revert(t: Transaction, reverted: Sequence[Reverted]) -> list[TransactionReverted]:
    """Of those that are stored and stand."""
    t.delete(UNSETTLED, [(r.inclusion.slot, r.inclusion.signature) for r in reverted])
    facts = []
    for (signature, slot), blockhash, landed_in_slot in reverted:
        rows = t.rows("SELECT times, reinstated FROM reverts WHERE slot = ? AND signature = ?", (slot, signature))
        times, stands = rows[0] if rows else (0, True)
        if stands:
            _set_reverted(t, slot, signature, times + 1, reinstated=False)
            facts.append(
                TransactionReverted(
                    signature=signature,
                    slot=slot,
                    times=times + 1,
                    blockhash=blockhash,
                    landed_in_slot=landed_in_slot,
                )
            )
    return facts


def reinstate(t: Transaction, evidence: Sequence[Evidence]) -> list[TransactionReinstated]:
    """Of those that were reverted, and that a node has finalised after all."""
    final = {(e.slot, e.signature) for e in evidence if e.is_final}
    if not final:
        return []
    rows = t.rows(
        "SELECT slot, signature, times FROM reverts WHERE reinstated = 0 AND slot BETWEEN ? AND ?",
        (min(final)[0], max(final)[0]),
    )
    facts = []
    for slot, signature, times in rows:
        if (slot, signature) in final:
            _set_reverted(t, slot, signature, times, reinstated=True)
            facts.append(TransactionReinstated(signature=signature, slot=slot, times=times))
    return facts


def keep(t: Transaction, fact: Fact) -> None:
    """The state that a fact about an inclusion or a gap left behind in the store that it comes from."""
    match fact:
        case InclusionFact():
            reinstated = isinstance(fact, TransactionReinstated)
            _set_reverted(t, fact.slot, fact.signature, fact.times, reinstated=reinstated)
        case GapFact():
            state = {GapFound: "open", GapAccepted: "accepted", GapClosed: "closed"}[type(fact)]
            gap = Gap(fact.from_slot, fact.through_slot, fact.signature, fact.reason)
            _set_state(t, gap, fact.times, state, fact.reason)


def _set_reverted(t: Transaction, slot: int, signature: str, times: int, *, reinstated: bool) -> None:
    t.delete(REVERTS, [(slot, signature)])
    t.insert(REVERTS, [(slot, signature, times, int(reinstated))])


def gaps(t: Transaction) -> list[Gap]:
    rows = t.rows(
        "SELECT from_slot, through_slot, signature, reason, state FROM gaps WHERE state <> 'closed'"
        " ORDER BY from_slot, through_slot, signature"
    )
    return [
        Gap(from_slot, through_slot, signature or None, reason, state == "accepted")
        for from_slot, through_slot, signature, reason, state in rows
    ]


def find_gaps(t: Transaction, found: Sequence[Gap]) -> list[GapFound]:
    """Of those that are not open yet."""
    facts = []
    for gap in found:
        times, state = _state_of(t, gap)
        if state == "closed":
            _set_state(t, gap, times + 1, "open", gap.reason)
            facts.append(GapFound(**_named(gap), times=times + 1, reason=gap.reason))
    return facts


def accept_gap(t: Transaction, gap: Gap, operator: str, reason: str) -> list[GapAccepted]:
    times, state = _state_of(t, gap)
    if state != "open":
        return []
    _set_state(t, gap, times, "accepted", reason)
    return [GapAccepted(**_named(gap), times=times, reason=reason, operator=operator)]


def close_gaps(t: Transaction, found: Sequence[Inclusion], reason: str = "it is stored") -> list[GapClosed]:
    """The gaps of these transactions."""
    inclusions = set(found)
    return [
        closed
        for gap in gaps(t)
        if gap.signature is not None and Inclusion(gap.signature, gap.from_slot) in inclusions
        for closed in close_gap(t, gap, reason)
    ]


def close_gap(t: Transaction, gap: Gap, reason: str) -> list[GapClosed]:
    times, state = _state_of(t, gap)
    if state == "closed":
        return []
    _set_state(t, gap, times, "closed", reason)
    return [GapClosed(**_named(gap), times=times, reason=reason)]


def _state_of(t: Transaction, gap: Gap) -> tuple[int, str]:
    """How often it was found, and its state; one that was never found is closed."""
    rows = t.rows("SELECT times, state FROM gaps WHERE from_slot = ? AND through_slot = ? AND signature = ?", _key(gap))
    return (rows[0][0], rows[0][1]) if rows else (0, "closed")


def _set_state(t: Transaction, gap: Gap, times: int, state: str, reason: str) -> None:
    t.delete(GAPS, [_key(gap)])
    t.insert(GAPS, [(*_key(gap), times, state, reason)])


def _key(gap: Gap) -> tuple[int, int, str]:
    return gap.from_slot, gap.through_slot, gap.signature or ""


def _named(gap: Gap) -> dict[str, Any]:
    return {"from_slot": gap.from_slot, "through_slot": gap.through_slot, "signature": gap.signature}
