# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "anchorpy==0.21.0",
#     "anchorpy-core==0.2.0",
#     "anyio==4.16.0",
#     "attrs==26.1.0",
#     "based58==0.1.1",
#     "borsh-construct==0.1.0",
#     "certifi==2026.10.18",
#     "construct==2.10.68",
#     "construct-typing==0.5.6",
#     "h11==0.16.0",
#     "httpcore==1.0.9",
#     "httpx==0.28.1",
#     "idna==3.20",
#     "jsonalias==0.1.1",
#     "pyheck==0.1.5",
#     "solana==0.36.6",
#     "solders==0.26.0",
#     "sumtypes==0.1a6",
#     "toml==0.10.2",
#     "toolz==0.11.2",
#     "typing-extensions==4.16.0",
#     "websockets==15.0",
# ]
# ///
"""anchorpy as a child process: a line of JSON in, a line of JSON out. It cannot live in our environment.

It pins solana and solders to versions older than ours, so it has one of its own: `uv run --script` makes it.
"""

import json
import sys
from base64 import b64decode
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

# Not installed where types are checked.
from anchorpy import EventParser  # type: ignore[import-not-found]
from anchorpy.coder import idl as layouts  # type: ignore[import-not-found]
from anchorpy.coder.event import EventCoder  # type: ignore[import-not-found]
from anchorpy_core.idl import Idl  # type: ignore[import-not-found]
from solders.pubkey import Pubkey


class Events:
    """All of a Coder that an EventParser asks for."""

    def __init__(self, events: Any) -> None:
        self.events = events


def tagged(value: Any) -> Any:
    """Every value says what it is, as in decode.mjs."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return {"number": repr(value)}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, str | Pubkey):
        return {"text": str(value)}
    if isinstance(value, list | tuple):
        return {"list": [tagged(item) for item in value]}
    if is_dataclass(value):
        return {"fields": [[field.name, tagged(getattr(value, field.name))] for field in fields(value)]}
    return {"fields": [[type(value).__name__, variant(value)]]}


def variant(value: Any) -> Any:
    """Of an enum: a class of the package sumtypes."""
    items = {name: getattr(value, name) for name, _ in value._sumtype_attribs}
    if set(items) == {"tuple_data"}:
        return tagged(list(items["tuple_data"]))
    return {"fields": [[name, tagged(item)] for name, item in items.items()]}


def attempt(read: Callable[[Callable[[Any], None]], None]) -> dict[str, Any]:
    events: list[dict[str, Any]] = []

    def found(event: Any) -> None:
        if event is not None:
            events.append({"name": event.name, "data": tagged(event.data)})

    try:
        read(found)
    except Exception as error:  # noqa: BLE001  # whatever it raises is its answer
        return {"events": events, "error": f"{type(error).__name__}: {error}"}
    return {"events": events}


def answer(idl: str, program: str, payloads: list[str], logs: list[list[str]], *, keep: bool = False) -> dict[str, Any]:
    """It keeps layouts of enums by name, also for the next IDL; `keep` leaves them there."""
    if not keep:
        layouts._enums_cache.clear()
    try:
        coder = Events(EventCoder(Idl.from_json(idl)))
    except (Exception, RecursionError) as error:  # noqa: BLE001  # whatever it raises is its answer
        return {"refused": f"{type(error).__name__}: {error}"}
    parser = EventParser(Pubkey.from_string(program), coder)

    def read_payload(payload: str) -> dict[str, Any]:
        return attempt(lambda found: found(coder.events.parse(b64decode(payload))))

    def read_logs(lines: list[str]) -> dict[str, Any]:
        return attempt(lambda found: parser.parse_logs(lines, found))

    return {"payloads": [read_payload(one) for one in payloads], "logs": [read_logs(one) for one in logs]}


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(**json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
