"""The projectors' settings, read once from the environment."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Each field is an environment variable with the prefix VAULT_; an empty one is one that is not set."""

    model_config = SettingsConfigDict(
        env_prefix="VAULT_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    event_store_url: Annotated[str, Field(repr=False)]
    """sqlite:///relative.db or sqlite:////absolute.db"""
    read_models_url: str
    """sqlite:///relative-folder or sqlite:////absolute-folder"""
    projector_batch: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    """Facts applied together."""
    rebuild_batch: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    """Facts that a rebuild applies together."""
    projector_poll_interval_s: Annotated[float, Field(gt=0, le=60)] = 0.03
    """Seconds between looks at an event store that has nothing new."""
    generation_grace_s: Annotated[float, Field(ge=0)] = 600.0
    """Seconds that the old generation is kept after a flip, for readers in the middle of it."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
