"""What the indexer's settings take, and what they refuse without showing it."""

import pytest
from pydantic import ValidationError

from indexer.settings import Settings

SECRET = "s3cr3t"


@pytest.fixture(autouse=True)
def needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_EVENT_STORE_URL", "sqlite:///events.db")
    monkeypatch.setenv("VAULT_RPC_URLS", f"https://user:{SECRET}@one.example/{SECRET}, http://127.0.0.1:8899")


def refusal(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(f"VAULT_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert {str(error["loc"][0]).upper() for error in caught.value.errors()} == {name}
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_urls_are_separated_by_commas_and_never_shown() -> None:
    settings = Settings()
    assert settings.rpc_urls == [f"https://user:{SECRET}@one.example/{SECRET}", "http://127.0.0.1:8899"]
    assert SECRET not in repr(settings)


def test_an_empty_setting_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WS_URL", "PROGRAM_ID", "IDL", "POLL_INTERVAL_S"):
        monkeypatch.setenv(f"VAULT_{name}", "")
    settings = Settings()
    assert (settings.ws_url, settings.program_id, settings.poll_interval_s) == (None, None, 2.0)
    assert settings.idl.name == "vault_manager.json"


@pytest.mark.parametrize(
    "urls",
    [
        f"ftp://user:{SECRET}@host/{SECRET}",
        f"http://user:{SECRET}@host:99999/{SECRET}",
        f"http://host:0/{SECRET}",
        f"http://[{SECRET}/x",
        f"/v2/{SECRET}",
        f"host.invalid/{SECRET}",
        f"http:///{SECRET}",
        " , ",
    ],
)
def test_a_url_that_is_none_is_refused(urls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal("RPC_URLS", urls, monkeypatch)


def test_of_several_urls_the_bad_one_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "number 2 is not" in refusal("RPC_URLS", f"http://one.example,wss://host/{SECRET}", monkeypatch)


def test_a_websocket_url_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ws://" in refusal("WS_URL", f"https://host/{SECRET}", monkeypatch)
    monkeypatch.setenv("VAULT_WS_URL", f"wss://host/{SECRET}")
    assert Settings().ws_url == f"wss://host/{SECRET}"


@pytest.mark.parametrize("program", ["not base58!", "1111", "C" * 10_000, "0OIl" * 8, "ä" * 32])
def test_a_program_id_that_is_no_address_is_refused(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "32 bytes in base58" in refusal("PROGRAM_ID", program, monkeypatch)


@pytest.mark.parametrize("number", ["soon", "-1", "0", "nan", "inf", "1e999", "3601", "1,5", "0x10"])
@pytest.mark.parametrize("name", ["POLL_INTERVAL_S", "COVERAGE_INTERVAL_S", "RPC_TIMEOUT_S", "RPC_CONCURRENCY"])
def test_a_number_that_is_none_or_out_of_bounds_is_refused(
    name: str, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal(name, number, monkeypatch)
