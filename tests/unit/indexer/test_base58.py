import pytest
from solders.pubkey import Pubkey

from indexer.base58 import ADDRESSES_MAX, Addresses, decode
from tests.unit.indexer.base58_encode import base58_of


@pytest.mark.parametrize("length", [0, 1, 2, 7, 8, 31, 32, 33, 64, 100, 144, 255, 256, 1232, 10_240])
def test_data_of_every_length_comes_back(length: int) -> None:
    data = bytes((place * 73 + 228) % 256 for place in range(length))
    assert decode(base58_of(data)) == data


@pytest.mark.parametrize("zeros", [1, 2, 40])
def test_leading_zeros_come_back(zeros: int) -> None:
    assert decode(base58_of(bytes(zeros))) == bytes(zeros)
    assert decode(base58_of(bytes(zeros) + b"\x01\x00")) == bytes(zeros) + b"\x01\x00"


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "abc def", "abc\n", "é", "+/", "\x00"])
def test_other_characters_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not base58"):
        decode(text)


def test_addresses_are_base58_and_remembered() -> None:
    addresses = Addresses()
    key = bytes(range(32))
    assert addresses[key] == str(Pubkey(key)) == base58_of(key)
    assert len(addresses) == 1


def test_addresses_that_are_remembered_are_bounded() -> None:
    addresses = Addresses((number.to_bytes(32, "big"), "") for number in range(ADDRESSES_MAX))
    addresses[bytes([255]) * 32]
    assert len(addresses) == 1


def test_what_is_longer_than_an_instruction_can_be_is_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        decode("2" * 1_000_000)
