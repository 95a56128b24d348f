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

STRANGE_PROGRAM = "[b's'; 32]"
"""As in tests/program/wrong_accounts.py."""
LOOSE = (
    """
use std::io::Write as _Write;
use std::ops::{Deref as _Deref, DerefMut as _DerefMut};
"""
    + "".join(
        f"""
#[derive(Clone)]
pub struct {name}<T>(T);
impl<T> _Deref for {name}<T> {{ type Target = T; fn deref(&self) -> &T {{ &self.0 }} }}
impl<T> _DerefMut for {name}<T> {{ fn deref_mut(&mut self) -> &mut T {{ &mut self.0 }} }}
impl<T: AccountSerialize> AccountSerialize for {name}<T> {{
    fn try_serialize<W: _Write>(&self, writer: &mut W) -> Result<()> {{ self.0.try_serialize(writer) }}
}}
impl<T: AccountDeserialize> AccountDeserialize for {name}<T> {{
    fn try_deserialize(data: &mut &[u8]) -> Result<Self> {{ Ok(Self(T::{read}(data)?)) }}
    fn try_deserialize_unchecked(data: &mut &[u8]) -> Result<Self> {{ Ok(Self(T::{read}(data)?)) }}
}}
"""
        for name, read in (("OfAnyProgram", "try_deserialize"), ("OfAnyKind", "try_deserialize_unchecked"))
    )
    + f"""
impl<T: anchor_lang::Owner> anchor_lang::Owners for OfAnyProgram<T> {{
    fn owners() -> &'static [Pubkey] {{
        let strange = Pubkey::new_from_array({STRANGE_PROGRAM});
        Box::leak(Box::new([T::owner(), anchor_spl::token_2022::ID, strange]))
    }}
}}
impl<T: anchor_lang::Owner> anchor_lang::Owner for OfAnyKind<T> {{
    fn owner() -> Pubkey {{ T::owner() }}
}}
"""
)


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
    """What is created must have its seeds, or it does not build; see `with_other_seeds`."""
    for field, items in _attributes(code):
        if any(item.text == "init" for item in items):
            continue
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


def with_other_seeds(code: str) -> Found:
    for field, items in _attributes(code):
        seeds = [item for item in items if item.text.startswith("seeds")]
        if seeds and any(item.text == "init" for item in items):
            opening = code.index("[", seeds[0].start)
            for seed in _items(code, opening + 1, _closing(code, opening) - 1):
                end = seed.end - code[seed.start : seed.end].rstrip().endswith(",")
                yield f"{field} with another seed than `{seed.text}`", (Edit(seed.start, end, 'b"another"'),)


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


def with_looser_types(code: str) -> Found:
    """An account may be of another program as well: of Token-2022, or of the one that the tests know as strange; or
    may be of another kind, where the kind is told by a discriminator."""
    for found in re.finditer(r"pub (\w+): (?:Box<)?(Account<'info, (\w+)>)", code):
        if any(field == found[1] and "init" in {item.text for item in items} for field, items in _attributes(code)):
            continue
        end = Edit(len(code), len(code), LOOSE)
        yield (
            f"{found[1]} may be another program's",
            (Edit(*found.span(2), f"InterfaceAccount<'info, OfAnyProgram<{found[3]}>>"), end),
        )
        if found[3] not in {"Mint", "TokenAccount"}:
            yield f"{found[1]} of any kind", (Edit(*found.span(3), f"OfAnyKind<{found[3]}>"), end)


def without_callers(code: str) -> Found:
    """Who calls may be anybody: the answer to a question that was refused is none."""
    for found in re.finditer(r"let \w+ = ctx\.accounts\.\w+\.\w+(\()", code):
        end = _closing(code, found.start(1))
        if code.startswith("?", end):
            yield f"whatever `{_line(code[found.start() : end])}`", (Edit(end, end + 1, ".unwrap_or_default()"),)


def without_events(code: str) -> Found:
    for found in re.finditer(r"\bemit_cpi!(\()\s*(\w+)", code):
        end = _closing(code, found.start(1))
        yield f"without the event `{found[2]}`", (Edit(found.start(), end + 1, ""),)


def without_requirements(code: str) -> Found:
    for found in re.finditer(r"\brequire!(\()", code):
        end = _closing(code, found.start(1))
        yield f"without `{_line(code[found.start() : end])}`", (Edit(found.start(), end + 1, ""),)


def without_overflow_checks(code: str) -> Found:
    for found in re.finditer(r"\.(checked|saturating)_(add|sub|mul|div)(\()", code):
        end = _closing(code, found.start(3))
        still_an_option = ".checked_add(0)" if found[1] == "checked" else ""
        wrapped = f".wrapping_{found[2]}{code[found.start(3) : end]}{still_an_option}"
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
    with_other_seeds,
    with_looser_creation,
    without_types,
    with_looser_types,
    without_callers,
    without_events,
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
