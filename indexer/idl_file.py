"""An IDL from its file."""

from pathlib import Path

from indexer.idl import Idl, IdlInvalid, parse_idl


def load_idl(path: Path) -> Idl:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise IdlInvalid(str(path), f"cannot be read ({error.strerror})") from error
    return parse_idl(content, where=str(path))
