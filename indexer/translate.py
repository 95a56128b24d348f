"""Decoded transactions to facts."""

from typing import Any, NamedTuple, get_args

from eventstore.facts import ChainFact, EventUndecoded, Fact, ProgramEventFact, ProgramFact, TransactionFailed
from indexer.decode import Decoded, Failed, ProgramEvent, Undecoded
from indexer.errors import IdlUnfit
from indexer.idl_types import Defined, Fields, Idl, Primitive, Type

FIRST_REVISION = 0
KINDS: dict[str, type[ProgramEventFact]] = {kind.__name__: kind for kind in get_args(ProgramEventFact)}
CHAIN_FIELDS = frozenset(ChainFact.__struct_fields__)
OWN_FIELDS = {name: tuple(f for f in kind.__struct_fields__ if f not in CHAIN_FIELDS) for name, kind in KINDS.items()}
PYTHON_TYPES = {"pubkey": str, "u8": int, "u64": int, "i64": int}


class Included(NamedTuple):
    """Where the transaction is in the chain."""

    signature: str
    slot: int
    transaction_index: int
    block_time: int | None
    fee_payer: str


def facts_of(decoded: Decoded, included: Included) -> list[Fact]:
    """An event that is no fact of ours is kept as undecoded: its evidence may explain it later."""
    facts: list[Fact] = [_fact(event, included) for event in decoded.events]
    facts += [_undecoded(one, included) for one in decoded.undecoded]
    if decoded.failed is not None:
        facts.append(_failed(decoded.failed, included))
    return facts


def check_events(idl: Idl, path: str) -> None:
    """Raises IdlUnfit unless the IDL has every event that is a fact of ours, with its fields."""
    events = {event.name: _resolved(event.body, idl) for event in idl.events}
    for name, kind in KINDS.items():
        body = events.get(name)
        if not isinstance(body, Fields) or body.names is None:
            raise IdlUnfit(path, f"it has no event {name} with named fields")
        types = dict(zip(body.names, body.types, strict=True))
        for field in OWN_FIELDS[name]:
            given = types.get(field)
            fits = isinstance(given, Primitive) and PYTHON_TYPES.get(given.name) is _annotation(kind, field)
            if not fits:
                raise IdlUnfit(path, f"its event {name} has no fitting field {field}")


def _fact(event: ProgramEvent, included: Included) -> Fact:
    kind = KINDS.get(event.name)
    if kind is None:
        return _undecoded(Undecoded(event.ordinal, f"event {event.name} is no fact of this version", b""), included)
    own: dict[str, Any] = {field: event.fields[field] for field in OWN_FIELDS[event.name]}
    return kind(**_chain_fields(included, event.ordinal), **own)


def _undecoded(one: Undecoded, included: Included) -> EventUndecoded:
    return EventUndecoded(**_chain_fields(included, one.ordinal), reason=one.reason, data=one.data)


def _failed(failed: Failed, included: Included) -> TransactionFailed:
    return TransactionFailed(
        **_chain_fields(included, 0),
        fee_payer=included.fee_payer,
        error=bytes(failed.error).decode(),
        code=failed.code,
        name=failed.name,
        message=failed.message,
    )


def _chain_fields(included: Included, ordinal: int) -> dict[str, Any]:
    return {
        "signature": included.signature,
        "slot": included.slot,
        "transaction_index": included.transaction_index,
        "ordinal": ordinal,
        "revision": FIRST_REVISION,
        "block_time": included.block_time,
    }


def _annotation(kind: type[ProgramFact], field: str) -> object:
    return next(c.__annotations__[field] for c in kind.__mro__ if field in c.__annotations__)


def _resolved(body: Type, idl: Idl) -> object:
    return idl.types[body.name].body if isinstance(body, Defined) and body.name in idl.types else body
