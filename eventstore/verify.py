"""Whether an export is what its store said, against heads of the hash chain that were published."""

from collections.abc import Sequence
from typing import NamedTuple

from eventstore.export import End, EvidenceLine, FactLine, Header, Line
from eventstore.hash_chain import Head, digest_of

FINDINGS_MAX = 100


class Verified(NamedTuple):
    facts: int
    evidence: int
    head: Head
    """Computed from what the facts say, whatever hashes are written beside them."""
    findings: dict[int, str]
    """By position, in the order of the file: the first hundred. None: it is what was published."""


class Verification:
    """Takes the lines of an export one after the other.

    A line's digest tells whether that fact was changed, its hash whether something before it was taken out or put in.
    Where somebody has computed all of these anew, only `heads` tell: what was done is then after the last that fits
    and at or before the first that does not. Evidence is not in the chain: it is checked by decoding it again.
    """

    def __init__(self, heads: Sequence[Head] = ()) -> None:
        self._ahead = sorted(heads, reverse=True)
        self._fits_through = 0
        self._head = Head()
        self._told, self._told_before = Head(), Head()
        self._last_moved = False
        self._facts = self._evidence = 0
        self._findings: dict[int, str] = {}

    def take(self, line: Line) -> None:
        match line:
            case FactLine():
                self._take_fact(line)
            case EvidenceLine():
                self._evidence += 1
            case End():
                self._take_end(line)
            case Header():
                pass

    def result(self) -> Verified:
        return Verified(self._facts, self._evidence, self._head, self._findings)

    def _take_fact(self, line: FactLine) -> None:
        digest = digest_of(line.stored())
        claimed, told = bytes.fromhex(line.digest), Head(line.position, bytes.fromhex(line.hash))
        position, last = line.position, self._told.position
        self._facts += 1
        if position <= last:
            self._find(position, f"moved or doubled: it comes after position {last}")
        elif digest != claimed:
            self._find(position, "changed: it is not what was hashed")
        elif self._told.linked(position, digest) != told:
            if last and self._told_before.linked(position, digest) == told:
                if not self._last_moved:
                    self._find(last, "added: the fact after it was hashed without it")
            else:
                self._find(position, f"facts between position {last} and this one are missing, or its hash was changed")
        self._last_moved = position <= last
        self._compare_heads(before=position)
        self._head = self._head.linked(position, digest)
        self._told_before, self._told = self._told, told

    def _compare_heads(self, before: int) -> None:
        """With those published that the facts so far have reached."""
        while self._ahead and self._ahead[-1].position < before:
            published = self._ahead.pop()
            if published == self._head:
                self._fits_through = published.position
            else:
                where = f"after position {self._fits_through}" if self._fits_through else "from the first fact on"
                self._find(published.position, f"its facts do not hash to the published head: look {where}")

    def _take_end(self, end: End) -> None:
        last = self._head.position
        self._compare_heads(before=last + 1)
        for published in reversed(self._ahead):
            self._find(published.position, f"missing: the export ends at position {last}")
        if (end.facts, end.evidence) != (self._facts, self._evidence):
            told = f"{end.facts} facts and {end.evidence} pieces of evidence"
            self._find(last, f"it ends with {self._facts} and {self._evidence}, where it says {told}")
        if end.head != str(self._head) and not self._findings:
            self._find(last, f"its facts hash to {self._head}, where it says {end.head[:100]}")

    def _find(self, position: int, what: str) -> None:
        if len(self._findings) < FINDINGS_MAX or position in self._findings:
            self._findings[position] = what
