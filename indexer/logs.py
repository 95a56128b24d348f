"""Which instruction wrote which data line: a strict stack of invocations, aligned with the instructions that ran.

Formats: agave program-runtime/src/stable_log.rs. Whatever a program logs is prefixed, so none can write the lines that
open and close a frame.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable

from msgspec import Struct

from indexer.trace import Trace

TRUNCATED = "Log truncated"
"""Stands, once, for the first of the lines that were too many; shorter ones may still follow."""
DATA_LINES_MAX = 65_536
"""Of one instruction: an ordinal has no room for more."""
MARKS_MAX = 65_536
MAY_BE_SILENT = frozenset(
    {
        "Ed25519SigVerify111111111111111111111111111",
        "KeccakSecp256k11111111111111111111111111111",
        "Secp256r1SigVerify1111111111111111111111111",
        "AddressLookupTab1e1111111111111111111111111",
        "BPFLoader1111111111111111111111111111111111",
        "BPFLoader2111111111111111111111111111111111",
        "BPFLoaderUpgradeab1e11111111111111111111111",
        "ComputeBudget111111111111111111111111111111",
        "NativeLoader1111111111111111111111111111111",
        "ZkTokenProof1111111111111111111111111111111",
    }
)
"""Precompiles never open a frame; the others did not in older versions of the runtime."""
_DATA = "Program data: "
_SUCCESS = 0
_FAILED = -1
_mark = re.compile(
    r"Program ([1-9A-HJ-NP-Za-km-z]{32,44}) (?:invoke \[([1-9][0-9]?)\]|(success)|failed: .*)", re.DOTALL
)
_marks: dict[str, tuple[str, int]] = {}


class Unaligned(Exception):
    """The logs are not those of these instructions."""


class Scan(Struct, gc=False):
    lines: list[tuple[int, str]] = []
    """The program's data lines with their ordinals: instruction x 65,536 + data line within it."""
    failed: set[int] = set()
    """Numbers of the instructions that failed, or were called by one that did."""
    heights: dict[int, int] = {}
    """Of instructions whose stack height the node did not give."""
    truncated: bool = False


def scan_logs(logs: list[str], trace: Trace, program: str) -> Scan:
    """Raises Unaligned."""
    programs, heights = trace.programs, trace.heights
    scan = Scan()
    frames: list[int] = []
    counts: dict[int, int] = {}
    following = 0
    for line in logs:
        mark = _marks.get(line)
        if mark is None:
            kind = line[8:13]
            if kind == "log: ":
                continue
            if kind == "data:":
                if frames and programs[frames[-1]] == program and line.startswith(_DATA):
                    scan.lines.append((_ordinal(frames[-1], counts), line))
                continue
            if line.endswith(" compute units") and " failed: " not in line:
                continue
            mark = _read_mark(line)
        if mark is None:
            if line == TRUNCATED:
                scan.truncated = True
                return scan
            continue
        of, depth = mark
        if depth > 0:
            if depth != len(frames) + 1:
                raise Unaligned(f"{of} is invoked at depth {depth} from depth {len(frames)}")
            if following == len(programs) or programs[following] != of or heights[following] != depth:
                following = _find(trace, following, of, depth)
                if heights[following] == 0:
                    scan.heights[following] = depth
            frames.append(following)
            following += 1
        else:
            if not frames or programs[frames[-1]] != of:
                raise Unaligned(f"{line[:100]!r} closes a frame that is not open")
            number = frames.pop()
            if depth == _FAILED:
                _forget(scan, range(number, following))
    if frames:
        raise Unaligned(f"the logs end within instruction {frames[-1]}")
    _skip_silent(trace, following, len(programs))
    return scan


def tell_something(logs: list[str]) -> bool:
    """Whether there can be anything in them for us: a data line, or a frame that failed."""
    text = "\n".join(logs)
    return _DATA in text or " failed: " in text


def payload_of(line: str) -> bytes | None:
    """Of a data line: its slices, joined. None where one is not base64 as the runtime writes it."""
    text = line[len(_DATA) :]
    if " " not in text:
        return _base64(text)
    slices = [_base64(one) for one in text.split(" ")]
    return None if None in slices else b"".join(one for one in slices if one is not None)


def _base64(text: str) -> bytes | None:
    try:
        data = a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    if text.endswith("=") and not text.endswith(b2a_base64(data[-(len(data) % 3) :], newline=False).decode()):
        return None
    return data


def first_failed(logs: list[str]) -> str | None:
    """The program whose own error it was: those that had called it fail after it."""
    for line in logs:
        mark = _read_mark(line)
        if mark is not None and mark[1] == _FAILED:
            return mark[0]
    return None


def invokes(line: str, program: str) -> bool:
    mark = _marks.get(line) or _read_mark(line)
    return mark is not None and mark[0] == program and mark[1] > 0


def calls_shown(logs: Iterable[str]) -> int:
    """How many instructions were called by another one, as far as the lines go."""
    lines = (line for line in logs if line.endswith("]") and " invoke [" in line and not line.endswith("[1]"))
    return sum(1 for line in lines if _read_mark(line) is not None)


def _read_mark(line: str) -> tuple[str, int] | None:
    """The program and the depth it was invoked at, or how it ended; None for any other line."""
    found = _mark.fullmatch(line)
    if found is None:
        return None
    program, depth, success = found.groups()
    if depth is None and success is None:
        return program, _FAILED
    if len(_marks) >= MARKS_MAX:
        _marks.clear()
    mark = _marks[line] = (program, int(depth) if depth is not None else _SUCCESS)
    return mark


def _find(trace: Trace, following: int, program: str, depth: int) -> int:
    """The instruction that is invoked here: behind silent ones, or of a height that the node did not give."""
    for number in range(following, len(trace.programs)):
        height = trace.heights[number]
        if trace.programs[number] == program and (height == depth or (height == 0 and depth > 1)):
            return number
        if height == 1 and depth > 1:
            break
        _skip_silent(trace, number, number + 1)
    raise Unaligned(f"{program} is invoked at depth {depth} and no such instruction follows")


def _skip_silent(trace: Trace, start: int, end: int) -> None:
    for number in range(start, end):
        if trace.programs[number] not in MAY_BE_SILENT:
            raise Unaligned(f"instruction {number} of {trace.programs[number]} is not in the logs")


def _ordinal(number: int, counts: dict[int, int]) -> int:
    """Of the instruction's next data line, counted in `counts`."""
    line = counts.get(number, 0)
    if line >= DATA_LINES_MAX:
        raise Unaligned(f"instruction {number} has more than {DATA_LINES_MAX} data lines")
    counts[number] = line + 1
    return number * DATA_LINES_MAX + line


def _forget(scan: Scan, frame: range) -> None:
    """What was logged since the frame was opened is its own or of what it called."""
    scan.failed.update(frame)
    while scan.lines and scan.lines[-1][0] >= frame.start * DATA_LINES_MAX:
        scan.lines.pop()
