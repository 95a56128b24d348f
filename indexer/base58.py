"""Base58 as Solana writes it: addresses out, instruction data in."""

from functools import lru_cache

from solders.pubkey import Pubkey

ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ADDRESSES_MAX = 65_536
TEXT_MAX = 16_384
"""An instruction that is called has 10 KiB of data at most: MAX_INSTRUCTION_DATA_LEN."""
_NO_DIGIT = 255
_DIGIT_OF = bytes(ALPHABET.find(character) % 256 for character in range(256))


class Addresses(dict[bytes, str]):
    """Base58 of 32 bytes, by look-up: a program's events keep naming the same accounts. Bounded."""

    def __missing__(self, key: bytes) -> str:
        if len(self) >= ADDRESSES_MAX:
            self.clear()
        address = self[key] = str(Pubkey(key))
        return address


def decode(text: str) -> bytes:
    """Raises ValueError where it is not base58, or longer than an instruction's data can be.

    The digits are summed up in parallel: each lane of one big integer, at first a byte with a digit, is joined with its
    neighbour. So Python counts the doublings of the lane (8 of them for 150 bytes) and not the digits.
    """
    if len(text) > TEXT_MAX:
        raise ValueError(f"{len(text)} characters are too many")
    digits = text.encode().translate(_DIGIT_OF)
    if _NO_DIGIT in digits:
        raise ValueError("not base58")
    number = int.from_bytes(digits, "big")
    for lane, base, mask in _steps(len(digits).bit_length()):
        number = (number >> lane & mask) * base + (number & mask)
    zeros = len(text) - len(text.lstrip("1"))
    return number.to_bytes(zeros + (number.bit_length() + 7) // 8, "big")


@lru_cache(maxsize=64)
def _steps(count: int) -> list[tuple[int, int, int]]:
    """Width of the lanes in bits, what their upper neighbour counts for, the mask of every other lane."""
    bits = 8 << count
    lanes = [8 << step for step in range(count)]
    # 2^bits - 1 divided by 2^lane + 1 has every other lane full.
    return [(lane, 58 ** (lane // 8), ((1 << bits) - 1) // ((1 << lane) + 1)) for lane in lanes]
