"""Path and query parameters, checked one after the other."""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

from aiohttp import web
from solders.pubkey import Pubkey

from api import cursors
from api.problems import FieldError, bad_parameters
from projections.read_models import PageStart

ADDRESS_LENGTH_MAX = 44
"""Of 32 bytes in base58."""
LIMIT_DEFAULT = 50
LIMIT_MAX = 1_000
T = TypeVar("T")
Order = Literal["asc", "desc"]


class Paging(NamedTuple):
    limit: int
    start: PageStart | None


def address(request: web.Request, name: str) -> str:
    """A path parameter. Raises Problem."""
    text = request.match_info[name]
    if len(text) > ADDRESS_LENGTH_MAX:
        raise bad_parameters(FieldError(parameter=name, detail="is too long for an address"))
    try:
        return str(Pubkey.from_string(text))
    except ValueError:
        raise bad_parameters(FieldError(parameter=name, detail="is not an address: 32 bytes in base58")) from None


def refuse_unknown(request: web.Request, *known: str) -> None:
    """Raises Problem for parameters that are not known, or given twice."""
    errors = [
        FieldError(parameter=name[:100], detail=f"is not known here; known: {', '.join(known) or 'none'}")
        for name in dict.fromkeys(request.query)
        if name not in known
    ]
    errors += [
        FieldError(parameter=name, detail="is given more than once")
        for name in known
        if len(request.query.getall(name, [])) > 1
    ]
    if errors:
        raise bad_parameters(*errors[:10])


def paging(request: web.Request, walk: str, key_types: tuple[type, ...]) -> Paging:
    """`limit` and `cursor`. Raises Problem."""
    limit = _parsed(request, "limit", _limit, LIMIT_DEFAULT)
    start = _parsed(request, "cursor", lambda text: _cursor(walk, text, key_types), None)
    return Paging(limit, start)


def order(request: web.Request) -> Order:
    """Raises Problem."""
    return _parsed(request, "order", _order, "desc")


def _parsed(request: web.Request, name: str, parse: Callable[[str], T], default: T) -> T:
    text = request.query.get(name)
    if text is None:
        return default
    try:
        return parse(text)
    except ValueError as error:
        raise bad_parameters(FieldError(parameter=name, detail=str(error))) from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= LIMIT_MAX):
        raise ValueError(f"must be a whole number from 1 to {LIMIT_MAX}")
    return int(text)


def _order(text: str) -> Order:
    match text:
        case "asc" | "desc":
            return text
        case _:
            raise ValueError("must be asc or desc")


def _cursor(walk: str, text: str, key_types: tuple[type, ...]) -> PageStart:
    if len(text) > cursors.CURSOR_LENGTH_MAX:
        raise ValueError("is too long for a cursor")
    return cursors.from_text(walk, text, key_types)
