"""Every way to break one check or one effect of a Rust source, as text: found by its shape, without a compiler."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Edit(NamedTuple):
    start: int
    end: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Mutation:
    name: str
    """Says what is broken; unique in its source."""
    line: int
    """From 1."""
    edits: tuple[Edit, ...]

    def apply(self, source: str) -> str:
        for edit in sorted(self.edits, reverse=True):
            source = source[: edit.start] + edit.text + source[edit.end :]
        return source


class Item(NamedTuple):
    """One of a list that commas separate; the text is without line breaks."""

    start: int
    end: int
    text: str


Found = Iterator[tuple[str, tuple[Edit, ...]]]


def mutations_of(source: str) -> list[Mutation]:
    """In the order of the kinds below."""
    code = without_words(source)
    names: dict[str, int] = {}
    found = []
    for kind in KINDS:
        for what, edits in kind(code):
            names[what] = names.get(what, 0) + 1
            name = what if names[what] == 1 else f"{what}, no. {names[what]}"
            line = source.count("\n", 0, edits[0].start) + 1
            found.append(Mutation(name=name, line=line, edits=edits))
    return found


def without_words(source: str) -> str:
    """Blanks instead of comments and of what is in quotes, so that places stay and brackets match."""
    return re.sub(r'//[^\n]*|"(?:[^"\\]|\\.)*"', lambda found: " " * len(found[0]), source)


def without_constraints(code: str) -> Found:
    for field, items in _attributes(code):
        for item in items:
            if item.text.startswith(("constraint", "has_one", "address", "close", "mut", "dup")):
                yield f"{field} without `{item.text}`", (Edit(item.start, item.end, ""),)


def without_seeds(code: str) -> Found:
    for field, items in _attributes(code):
        edits = tuple(Edit(item.start, item.end, "") for item in items if re.match(r"(seeds|bump)\b", item.text))
        if edits:
            yield f"{field} at any address", edits


def with_fewer_seeds(code: str) -> Found:
    for field, items in _attributes(code):
        for item in items:
            if item.text.startswith("seeds"):
                opening = code.index("[", item.start)
                for seed in _items(code, opening + 1, _closing(code, opening) - 1):
                    yield f"{field} without the seed `{seed.text}`", (Edit(seed.start, seed.end, ""),)


def with_looser_creation(code: str) -> Found:
    for field, items in _attributes(code):
        associated = [item for item in items if item.text.startswith("associated_token::")]
        if associated:
            edits = tuple(Edit(item.start, item.start + len("associated_token"), "token") for item in associated)
            yield f"{field} need not be the associated account", edits
        for item in items:
            if item.text == "init":
                yield f"{field} initialised again", (Edit(item.start, item.start + len("init"), "init_if_needed"),)


def without_types(code: str) -> Found:
    for found in re.finditer(r"pub (\w+): ((?:Signer|Program)<'info[^>]*>)", code):
        yield f"{found[1]} is no {found[2].split('<')[0]}", (Edit(*found.span(2), "UncheckedAccount<'info>"),)


def without_requirements(code: str) -> Found:
    for found in re.finditer(r"\brequire!(\()", code):
        end = _closing(code, found.start(1))
        yield f"without `{_line(code[found.start() : end])}`", (Edit(found.start(), end + 1, ""),)


def without_overflow_checks(code: str) -> Found:
    for found in re.finditer(r"\.checked_(add|sub|mul|div)(\()", code):
        end = _closing(code, found.start(2))
        wrapped = f".wrapping_{found[1]}{code[found.start(2) : end]}.checked_add(0)"
        yield f"wrapping `{_statement(code, found.start())}`", (Edit(found.start(), end, wrapped),)


def without_validation(code: str) -> Found:
    for found in re.finditer(r"#\[access_control(\()", code):
        end = code.index("]", _closing(code, found.start(1))) + 1
        yield f"without `{_line(code[found.start() : end])}`", (Edit(found.start(), end, ""),)


def without_calls(code: str) -> Found:
    """Of what is checked or done for its effect: a call that is a statement, or the last expression."""
    for found in re.finditer(r"^ +((?:ctx|self|vault|from|to|authority)\b(?:\s*\.\w+)+(\())", code, re.MULTILINE):
        end = _closing(code, found.start(2))
        text = f"without `{_line(code[found.start(1) : end])}`"
        if code.startswith((";", "?;"), end):
            yield text, (Edit(found.start(1), code.index(";", end) + 1, ""),)
        elif code[end:].lstrip().startswith("}"):
            yield text, (Edit(found.start(1), end, "Ok(())"),)


def without_assignments(code: str) -> Found:
    for found in re.finditer(r"^ +((?:ctx|self|authority)\.[\w.]+ = )", code, re.MULTILINE):
        end = code.index(";", found.end()) + 1
        yield f"without `{_line(code[found.start(1) : end])}`", (Edit(found.start(1), end, ""),)


def with_other_predicates(code: str) -> Found:
    for found in re.finditer(r"\.(find|any|all|retain|filter)(\()\|(\w+)\| ", code):
        end = _closing(code, found.start(2)) - 1
        predicate = f".{found[1]}(|{found[3]}| {_line(code[found.end() : end])})"
        for answer in ("true", "false"):
            yield f"always {answer}: `{predicate}`", (Edit(found.end(), end, answer),)


KINDS: tuple[Callable[[str], Found], ...] = (
    without_constraints,
    without_seeds,
    with_fewer_seeds,
    with_looser_creation,
    without_types,
    without_requirements,
    without_overflow_checks,
    without_validation,
    without_calls,
    without_assignments,
    with_other_predicates,
)


def _attributes(code: str) -> Iterator[tuple[str, list[Item]]]:
    """Of each field of an `Accounts` struct that has constraints: its name and they."""
    for found in re.finditer(r"#\[account(\()", code):
        end = _closing(code, found.start(1))
        named = re.compile(r"\s*pub (\w+):").match(code, end + 1)
        assert named, f"no field after {code[found.start() : end]}"
        yield named[1], list(_items(code, found.end(), end - 1))


def _items(code: str, start: int, end: int) -> Iterator[Item]:
    """Each with the comma after it."""
    depth, begin = 0, start
    for place in range(start, end + 1):
        depth += (code[place] in "([{") - (code[place] in ")]}") if place < end else 0
        if place == end or (code[place] == "," and depth == 0):
            text = _line(code[begin:place])
            if text:
                first = begin + len(code[begin:place]) - len(code[begin:place].lstrip())
                yield Item(first, min(place + 1, end), text)
            begin = place + 1


def _closing(code: str, opening: int) -> int:
    """The place after the bracket that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(code)):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth == 0:
            return place + 1
    raise AssertionError(f"a bracket is not closed: {code[opening : opening + 40]}")


def _statement(code: str, place: int) -> str:
    """That around the place, from the last line that ends one before."""
    begin = max(code.rfind(mark, 0, place) for mark in ";{}") + 1
    ends = [at for at in (code.find(mark, place) for mark in ";{}") if at >= 0]
    return _line(code[begin : min(ends)])


def _line(code: str) -> str:
    text = re.sub(r"\s+", " ", code).strip()
    return re.sub(r"(?<=[(\[]) | (?=[).\]])|,(?= ?[)\]])", "", text)
