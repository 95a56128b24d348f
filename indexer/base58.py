"""Base58 as Solana writes it: addresses out, instruction data in."""

from functools import lru_cache

from solders.pubkey import Pubkey

ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ADDRESSES_MAX = 65_536
_DIGIT_OF = bytes(max(ALPHABET.find(character), 0) for character in range(256))


class Addresses(dict[bytes, str]):
    """Base58 of 32 bytes, by look-up: a program's events keep naming the same accounts. Bounded."""

    def __missing__(self, key: bytes) -> str:
        if len(self) >= ADDRESSES_MAX:
            self.clear()
        address = self[key] = str(Pubkey(key))
        return address


def decode(text: str) -> bytes:
    """Raises ValueError where it is not base58.

    The digits are summed up in parallel: every lane of one big integer is joined with its neighbour, in steps of
    twice the width, so that Python counts steps (8 for 150 bytes) and not digits.
    """
    characters = text.encode("ascii")
    if characters.translate(None, ALPHABET):
        raise ValueError("not base58")
    number = int.from_bytes(characters.translate(_DIGIT_OF), "big")
    for lane, excess, mask in _steps(len(characters).bit_length()):
        number -= (number >> lane & mask) * excess
    ones = len(text) - len(text.lstrip("1"))
    return number.to_bytes(ones + (number.bit_length() + 7) // 8, "big")


@lru_cache(maxsize=32)
def _steps(count: int) -> list[tuple[int, int, int]]:
    """Lane width in bits, what an upper neighbour counts too much (2^lane instead of 58^digits), lower lanes' mask."""
    steps = []
    for step in range(count):
        lane = 8 << step
        mask = sum(((1 << lane) - 1) << place for place in range(0, 8 << count, 2 * lane))
        steps.append((lane, (1 << lane) - 58 ** (1 << step), mask))
    return steps
