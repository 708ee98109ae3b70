"""Where set-up keeps what it fetched and built: outside the checkout, shared by all checkouts."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class _Env(BaseSettings):
    model_config = SettingsConfigDict(frozen=True)

    cache_home: Path | None = Field(default=None, validation_alias="XDG_CACHE_HOME")


def cache_dir() -> Path:
    """Return the folder, which may not exist yet."""
    home = _Env().cache_home
    # As the XDG specification says: empty or relative counts as not set.
    base = home if home is not None and home.is_absolute() else Path.home() / ".cache"
    return base / "farwatch"
