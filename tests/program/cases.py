"""A refusal, and the cases in which it is to be seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from tests.program import breaks
from tests.program.breaks import Break, argument
from tests.program.scene import CREATED, IDLS

EVERYWHERE = " ".join(IDLS)

# By instruction and what is wrong there: an account, an argument or some words.
Cases: TypeAlias = dict[tuple[str, str], Break]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    wrong: str
    error: str
    cases: Cases


def at(instructions: str, what: str, broken: Break) -> Cases:
    """`instructions` has spaces between them."""
    return {(instruction, what): broken for instruction in instructions.split()}


def each(accounts: Iterable[str], broken: Callable[[str], Break], instructions: str = EVERYWHERE) -> Cases:
    """Wherever there is such an account, but in the instruction that creates it."""
    return {
        (instruction, account): broken(account)
        for instruction in instructions.split()
        for account in IDLS[instruction].accounts_of(instruction)
        if account in accounts and account not in CREATED.get(instruction, [])
    }


def each_flagged(flag: str, broken: Callable[[str], Break]) -> Cases:
    """Wherever an account must sign (`signer`) or is written to (`writable`)."""
    pairs = [(name, account) for name, idl in IDLS.items() for account in idl.accounts_of(name, flag)]
    return {(name, account): broken(account) for name, account in pairs if account not in CREATED.get(name, [])}


def each_created(broken: Callable[[str], Break]) -> Cases:
    """Wherever an account of ours is created."""
    return {(name, created[0]): broken(created[0]) for name, created in CREATED.items()}


def each_argument(value: int, *arguments: str) -> Cases:
    """Wherever there is such an argument."""
    pairs = [(name, given) for name, idl in IDLS.items() for given in idl.arguments_of(name)]
    return {(name, given): argument(given, value) for name, given in pairs if given in arguments}


def holds(field: str, value: int, account: str, instructions: str) -> Cases:
    """The vault holds that number before."""
    return at(instructions, f"{field} of {account}", breaks.number(account, field, value))
