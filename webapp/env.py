"""Every variable the hub reads from its environment: name, type, default. Nothing else reads it."""

import os
import secrets
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent


MIN_SECRET_CHARACTERS: Final = 50
MIN_DISTINCT: Final = 16


class UnsafeSettings(Exception):
    """These settings must not face the internet; the text says what to set."""


def _split(value: object) -> object:
    """Return the parts of `a, b` as a list; anything else is for the type to judge."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Days: TypeAlias = Annotated[int, Field(ge=0, le=36_500)]


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
    redis_url: Annotated[str, Field(pattern=r"^((rediss?|unix)://.+)?$")] = ""
    """Empty: one web process. Several hear of each other through this Redis; `rediss` is TLS."""
    sqlite_checkpoints: bool = True
    """One process of a hub checkpoints SQLite's WAL; the others (workers) say false."""
    allowed_hosts: Annotated[list[str], NoDecode, BeforeValidator(_split)] = [
        "localhost",
        "127.0.0.1",
        "[::1]",
    ]
    """With commas between; the names by which browsers and agents reach this hub."""
    https: bool = False
    """True behind a TLS-terminating proxy: secure cookies, HSTS, redirects."""
    most_agent_results_per_s: Annotated[float, Field(ge=0)] = 5_000
    """One agent's; more is taken later, and nothing is lost. 0: no limit."""
    most_organization_results_per_s: Annotated[float, Field(ge=0)] = 50_000
    """All agents' of an organization at one web process; organizations may have their own."""
    keep_results_days: Days = 7
    """What models said of each frame: most of the disk. 0, here and below: for ever."""
    keep_archive_days: Days = 90
    """Results of old days, in files (`archive_after_days`)."""
    keep_minutes_days: Days = 45
    """Counts by minute; charts of longer times read those by hour."""
    keep_hours_days: Days = 400
    keep_features_days: Days = 45
    """What pictures were like, by minute."""
    keep_feature_hours_days: Days = 400
    keep_overflow_days: Days = 400
    """Which frames were judged where, by hour, and what that cost."""
    keep_events_days: Days = 90
    """Events with their words, thumbnails and clips."""
    keep_thumbnails_days: Days = 7
    """Thumbnails whose event never came."""
    keep_samples_days: Days = 60
    """Frames kept for learning that no labeler has judged; those that one has are kept."""
    keep_exports_days: Days = 30
    keep_batches_days: Days = 90
    """Batches that are over, with what came of their pictures."""
    keep_files_days: Days = 7
    """Pictures and clips that nothing needs: of a camera that was removed, say."""
    keep_losses_days: Days = 90
    """What never came, and why."""
    keep_jobs_days: Days = 30
    """Jobs that are over."""
    bundles_dir: Path | None = None
    """Where workers' bundles lie, a folder each, for batches; empty: `bundles` in `data_dir`."""
    archive_after_days: Days = 2
    """Results of days that are over for so long go to Parquet files as well. 0: never."""
    keep_usage_days: Days = 400
    """What API keys and agents had judged, by hour."""
    tier_url: Annotated[str, Field(pattern=r"^(https?://[^/?#@]+/?)?$")] = ""
    """Of the inference tier, as this hub reaches it; empty: there is none."""
    tier_public_url: Annotated[str, Field(pattern=r"^(https?://[^/?#@]+/?)?$")] = ""
    """The same as agents and programs reach it; empty: through the hub's own address."""
    tier_token: str = ""
    """What the tier shows to the hub; empty: made once and kept in `data_dir` (`tier_token`)."""
    tier_price_per_1000: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """What so many pictures judged there cost, in a currency of your own, for cameras' budgets."""
    tier_agent_pictures_per_s: Annotated[float, Field(gt=0)] = 30.0
    """That the tier takes of one agent."""
    webhooks_may_be_private: bool = False
    """True lets webhooks name addresses of this network, and http:// ones."""
    metrics_token: str = ""
    """Whoever sends it as a bearer token may read `/metrics`; without it, this machine alone."""
    log_level: str = "INFO"
    log_json: bool = False

    @property
    def keep_days(self) -> dict[str, int]:
        """Return for how many days each class of data is kept (`webapp.common.keeping`)."""
        return {
            name.removeprefix("keep_").removesuffix("_days"): getattr(self, name)
            for name in type(self).model_fields
            if name.startswith("keep_")
        }

    @property
    def resolved_tier_token(self) -> str:
        """Return the tier's token; both run on one machine and read the same file by default."""
        return self.tier_token or kept_secret(self.data_dir / "tier_token", n_bytes=32)

    @property
    def resolved_secret_key(self) -> str:
        """Return the secret key, making and keeping one when none is set.

        Raise `UnsafeSettings` for a hub behind HTTPS whose key is missing or easy to guess.
        """
        if self.https and not is_strong(self.secret_key):
            raise UnsafeSettings(
                "FARWATCH_HTTPS is on, so FARWATCH_SECRET_KEY must be set to at least"
                f" {MIN_SECRET_CHARACTERS} random characters. To make one:"
                " python -c 'import secrets; print(secrets.token_urlsafe(64))'"
            )
        return self.secret_key or kept_secret(self.data_dir / "secret_key")


def is_strong(secret: str) -> bool:
    """Return whether nobody guesses this secret: long, varied, and no example of Django's."""
    is_varied = len(set(secret)) >= MIN_DISTINCT
    return (
        len(secret) >= MIN_SECRET_CHARACTERS
        and is_varied
        and not secret.startswith("django-insecure-")
    )


def kept_secret(path: Path, *, n_bytes: int = 64) -> str:
    """Return the secret in `path`; the first caller makes it, readable by its user alone.

    It gets its name once it is whole, so that of several who begin at once none reads half of it.
    Raise `UnsafeSettings` for one that was emptied: nobody goes by that.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-") as file:
            file.write(secrets.token_urlsafe(n_bytes))
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileExistsError):  # another was first
                os.link(file.name, path)
    secret = path.read_text().strip()
    if not secret:
        raise UnsafeSettings(f"{path} is empty: delete it, and a new one is made")
    return secret


@cache
def env() -> Env:
    """Return the environment, read once."""
    return Env()


def default_settings_module() -> None:
    """Name the settings for Django's entry points."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
