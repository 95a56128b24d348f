"""Base58 as Solana writes it: addresses out, instruction data in."""

from solders.pubkey import Pubkey
from solders.signature import Signature

ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ADDRESSES_MAX = 65_536
TEXT_MAX = 16_384
"""An instruction that is called has 10 KiB of data at most: MAX_INSTRUCTION_DATA_LEN."""
PIECE = 87
"""Behind a digit of 1 (written "2"), 87 more are a number of 64 bytes whatever they are: a signature, to solders."""
PIECE_BASE: int = 58**PIECE


class Addresses(dict[bytes, str]):
    """Base58 of 32 bytes, by look-up: a program's events keep naming the same accounts. Bounded."""

    def __missing__(self, key: bytes) -> str:
        if len(self) >= ADDRESSES_MAX:
            self.clear()
        address = self[key] = str(Pubkey(key))
        return address


def decode(text: str) -> bytes:
    """Raises ValueError where it is not base58, or longer than an instruction's data can be.

    Piece by piece, each by the native decoder of signatures: no other of ours is native.
    """
    if len(text) > TEXT_MAX:
        raise ValueError(f"{len(text)} characters are too many")
    try:
        number = _value(text)
    except ValueError:
        raise ValueError("not base58") from None
    size = (number.bit_length() + 7) // 8
    if text.startswith("1"):
        size += len(text) - len(text.lstrip("1"))
    return number.to_bytes(size, "big")


def _value(text: str) -> int:
    low: int = int.from_bytes(Signature.from_string("2" + text[-PIECE:].rjust(PIECE, "1")), "big") - PIECE_BASE
    high = _value(text[:-PIECE]) if len(text) > PIECE else 0
    return high * PIECE_BASE + low
