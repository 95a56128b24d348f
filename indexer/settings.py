"""The indexer's settings, read once from the environment."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from indexer.base58 import decode
from indexer.chain import Commitment

BUNDLED_IDL = Path(__file__).with_name("vault_manager.json")


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _addresses(urls: list[str]) -> list[str]:
    for number, url in enumerate(urls, 1):
        if not _is_url(url, {"http", "https"}):
            raise ValueError(f"number {number} is not of the form http://host:port/path or https://host/path")
    return urls


def _websocket(url: str) -> str:
    if not _is_url(url, {"ws", "wss"}):
        raise ValueError("it is not of the form ws://host:port/path or wss://host/path")
    return url


def _is_url(url: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _program(address: str) -> str:
    try:
        length = len(decode(address))
    except ValueError:
        length = 0
    if length != 32:
        raise ValueError(f"{address!r} is no address: give its 32 bytes in base58")
    return address


class Settings(BaseSettings):
    """Each field is an environment variable with the prefix VAULT_; an empty one is one that is not set."""

    model_config = SettingsConfigDict(
        env_prefix="VAULT_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    event_store_url: Annotated[str, Field(repr=False)]
    """sqlite:///relative.db or sqlite:////absolute.db"""
    rpc_urls: Annotated[
        list[str],
        NoDecode,
        BeforeValidator(_comma_separated),
        AfterValidator(_addresses),
        Field(min_length=1, repr=False),
    ]
    """Comma-separated endpoints; who answered last is asked first. May hold keys: never shown whole."""
    ws_url: Annotated[Annotated[str, AfterValidator(_websocket)] | None, Field(repr=False)] = None
    """Websocket endpoint for hints of new transactions; without it the indexer polls."""
    program_id: Annotated[str, AfterValidator(_program)] | None = None
    """Base58; the IDL's address if not set."""
    idl: Path = BUNDLED_IDL
    """The program's IDL, either Anchor format."""
    commitment: Commitment = "confirmed"
    """From which commitment on transactions are ingested."""
    event_sources: Literal["cpi", "log", "both"] = "cpi"
    """Where the program's events are expected: what is missing there makes a transaction incomplete."""
    max_transaction_version: Annotated[int, Field(ge=0, le=255)] = 1
    """maxSupportedTransactionVersion of getTransaction and getBlock."""
    poll_interval_s: Annotated[float, Field(gt=0, le=3_600)] = 2.0
    """Seconds between looks at the chain when no hint comes."""
    coverage_interval_s: Annotated[float, Field(gt=0, le=3_600)] = 2.0
    """Seconds between statements of coverage."""
    resweep_interval_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """Seconds between looks at what was walked in the last half hour: an index may show a signature late."""
    rpc_timeout_s: Annotated[float, Field(gt=0, le=600)] = 20.0
    rpc_concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    """Requests in flight at once, to all endpoints."""
    rpc_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """Requests a second to each endpoint, at most; unlimited if not set."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
