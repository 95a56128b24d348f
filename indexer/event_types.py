"""From a payload to the event it is: which one, by its discriminator, and what is in it."""

import struct

from indexer.borsh import Malformed
from indexer.borsh_compiler import Compiler, EventReader
from indexer.idl_node import IdlInvalid
from indexer.idl_types import Idl


class Undecodable(Exception):
    """The IDL does not explain the payload."""


class EventTypes:
    """Of one IDL. An event that it describes wrongly does not keep the others from being read."""

    def __init__(self, idl: Idl) -> None:
        compiler = Compiler(idl)
        self._readers: dict[bytes, tuple[str, EventReader, int]] = {}
        self.warnings: list[str] = []
        for event in idl.events:
            try:
                reader = compiler.event_reader(event)
            except IdlInvalid as invalid:
                self.warnings.append(f"event {event.name} cannot be decoded: {invalid}")
                reader = _refusing(str(invalid))
            self._readers[event.discriminator] = (event.name, reader, len(event.discriminator))
        self._sizes = sorted({len(discriminator) for discriminator in self._readers}, reverse=True)

    def read(self, payload: bytes) -> tuple[str, dict[str, object]]:
        """Name and fields. The longest discriminator wins; programs append fields, so more may follow."""
        name, reader, start = self._type_of(payload)
        try:
            return name, reader(payload, start)[0]
        except Malformed as malformed:
            raise Undecodable(f"{name}: {malformed}") from None
        except (struct.error, IndexError):
            raise Undecodable(f"{name}: {len(payload)} bytes are too short for it") from None
        except RecursionError:
            raise Undecodable(f"{name}: nested too deeply") from None

    def _type_of(self, payload: bytes) -> tuple[str, EventReader, int]:
        """And where its fields begin."""
        for size in self._sizes:
            found = self._readers.get(payload[:size])
            if found is not None:
                return found
        raise Undecodable("unknown discriminator")


def _refusing(reason: str) -> EventReader:
    def refuse(_data: bytes, _pos: int) -> tuple[dict[str, object], int]:
        raise Malformed(reason)

    return refuse
