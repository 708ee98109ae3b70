"""Every variable the hub reads from its environment: name, type, default. Nothing else reads it."""

import os
import secrets
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent


class Env(BaseSettings):
    """The hub's environment; unknown `FARWATCH_*` variables are the agent's."""

    model_config = SettingsConfigDict(
        env_prefix="FARWATCH_", env_file=".env", extra="ignore", frozen=True
    )

    debug: bool = False
    secret_key: str = ""
    """Empty: made once and kept in `data_dir` (a development hub); production sets it."""
    data_dir: Path = BASE_DIR / ".data"
    """Database (if SQLite), pictures, exports, keys."""
    database_url: Annotated[str, Field(validation_alias="DATABASE_URL")] = ""
    """Empty: SQLite in `data_dir`."""
    sqlite_checkpoints: bool = True
    """One process of a hub checkpoints SQLite's WAL; the others (workers) say false."""
    redis_url: Annotated[str, Field(validation_alias="REDIS_URL")] = ""
    """Empty: the in-memory channel layer, for one web process."""
    allowed_hosts: Annotated[list[str], NoDecode] = ["localhost", "127.0.0.1", "[::1]"]
    https: bool = False
    """True behind a TLS-terminating proxy: secure cookies, HSTS, redirects."""
    log_level: str = "INFO"
    log_json: bool = False

    @property
    def resolved_secret_key(self) -> str:
        """Return the secret key, making and keeping one when none is set."""
        return self.secret_key or kept_secret(self.data_dir / "secret_key")


def kept_secret(path: Path, *, n_bytes: int = 64) -> str:
    """Return the secret in `path`; the first caller makes it, readable by its user alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(n_bytes))
    return path.read_text().strip()


@cache
def env() -> Env:
    """Return the environment, read once."""
    return Env()


def default_settings_module() -> None:
    """Name the settings for Django's entry points."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
