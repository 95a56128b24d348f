"""The indexer's settings, read once from the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from indexer.chain import Commitment

BUNDLED_IDL = Path(__file__).with_name("vault_manager.json")


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """Each field is an environment variable with the prefix VAULT_."""

    model_config = SettingsConfigDict(env_prefix="VAULT_", frozen=True, hide_input_in_errors=True)

    event_store_url: str
    """sqlite:///relative.db or sqlite:////absolute.db"""
    rpc_urls: Annotated[list[str], NoDecode, BeforeValidator(_comma_separated), Field(min_length=1, repr=False)]
    """Comma-separated endpoints, the preferred one first. May hold keys: never shown whole."""
    ws_url: Annotated[str | None, Field(repr=False)] = None
    """Websocket endpoint for hints of new transactions; without it the indexer polls."""
    program_id: str | None = None
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
    rpc_timeout_s: Annotated[float, Field(gt=0, le=600)] = 20.0
    rpc_concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    """Requests in flight at once."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
