"""The API's settings, read once from the environment."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Each field is an environment variable with the prefix VAULT_; an empty one is one that is not set."""

    model_config = SettingsConfigDict(
        env_prefix="VAULT_",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
        use_attribute_docstrings=True,
    )

    read_models_url: str
    """sqlite:///relative-folder or sqlite:////absolute-folder"""
    api_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address to listen on; this machine only by default."""
    api_port: Annotated[int, Field(ge=0, le=65_535)] = 8_000
    """0 takes a free one, which the log names."""
    api_ready_max_age_s: Annotated[float, Field(gt=0)] = 10.0
    """A projector that was silent for longer makes /ready answer 503."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """debug, info, warning or error; requests are logged at info."""


def explained() -> str:
    """Every setting in two lines, for --help."""
    lines = []
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else f"default {field.default}"
        lines.append(f"  VAULT_{name.upper()} ({default})\n      {field.description}")
    return "\n".join(lines)
