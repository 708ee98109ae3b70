"""Every setting of the tier: name, type, default. Nothing else of it reads the environment."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from processing.wire.tier import MAX_BEARER


class BadConfig(Exception):
    """A setting is wrong; the text says which, and what would be right."""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked_hub_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no hub address; it looks like https://hub.example.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("a hub address holds no credentials, query or fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError(
            f"{url!r} is not encrypted: use https:// (http:// is for a hub on this machine only)"
        )
    return url.rstrip("/")


class TierConfig(BaseSettings):
    """What a person may set: `FARWATCH_TIER_PORT=...` and so on."""

    model_config = SettingsConfigDict(
        env_prefix="FARWATCH_TIER_",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
    )

    host: str = "127.0.0.1"
    """Where it listens. What comes from other machines should come through a proxy with TLS."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8100
    """HTTP; 0: a free one, which the log names."""
    grpc_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """gRPC of the Open Inference Protocol; 0: none."""
    bundles: Path = Path(".data/tier/bundles")
    """A folder of bundles; each that is to be served lies in a folder of its own within."""
    data_dir: Path = Path(".data/tier")
    """Who this tier is, what it was last told to serve, and uses that no hub has counted yet."""
    hub_url: Annotated[str, AfterValidator(_checked_hub_url)] | None = None
    """The hub that says who may ask and what is served, and counts what was used."""
    token: Annotated[str, Field(max_length=MAX_BEARER)] = ""
    """By which the hub knows this tier."""
    token_file: Path | None = None
    """Holds the token, if it is not in the environment."""
    is_open: Annotated[bool, Field(validation_alias="FARWATCH_TIER_OPEN")] = False
    """Judge for whoever asks, without a hub; on this machine's own address only."""
    device: Annotated[str, Field(pattern="^[A-Za-z0-9.:,_]{1,64}$")] = "CPU"
    """As OpenVINO names it: CPU, GPU, AUTO. `cuda`, `tensorrt` and `onnx` are ONNX Runtime's."""
    memory_mb: Annotated[int, Field(ge=64, le=1_000_000)] = 2048
    """What loaded versions may take up together."""
    bodies_mb: Annotated[int, Field(ge=32, le=100_000)] = 256
    """Of pictures and tensors that are being taken in or judged, at once."""
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """More are answered 503 at once."""
    metrics_token: Annotated[str, Field(max_length=MAX_BEARER)] = ""
    """Whoever sends it as a bearer may read `/metrics`; without it, this machine alone."""
    log_format: Literal["console", "json"] = "console"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)
    ] = "info"

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if self.is_open and not _is_loopback(self.host):
            raise ValueError(
                "FARWATCH_TIER_OPEN lets everybody in, so FARWATCH_TIER_HOST must be 127.0.0.1"
            )
        if self.is_open and self.hub_url:
            raise ValueError("FARWATCH_TIER_OPEN is for a tier without FARWATCH_TIER_HUB_URL")
        if not self.is_open and not self.hub_url:
            raise ValueError(
                "set FARWATCH_TIER_HUB_URL, which says who may ask; or FARWATCH_TIER_OPEN=true to "
                "try it without a hub on this machine"
            )
        if self.hub_url and not self.token and self.token_file is None:
            raise ValueError("set FARWATCH_TIER_TOKEN or FARWATCH_TIER_TOKEN_FILE: the hub asks it")
        return self


def load_config(**options: object) -> TierConfig:
    """Return the settings; raise `BadConfig`."""
    try:
        return TierConfig(**options)  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        raise BadConfig("; ".join(_in_words(error))) from error


def read_token(config: TierConfig) -> str:
    """Return by what the hub knows this tier; raise `BadConfig`."""
    if config.token or config.token_file is None:
        return config.token
    try:
        with config.token_file.open(encoding="ascii") as file:
            token = file.read(MAX_BEARER + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"the token cannot be read from {config.token_file}: {error}") from error
    if not token or len(token) > MAX_BEARER:
        raise BadConfig(f"{config.token_file} holds no token")
    return token


def _in_words(error: ValidationError) -> list[str]:
    words: list[str] = []
    for detail in error.errors():
        name = ".".join(str(part) for part in detail["loc"])
        words.append(f"{name}: {detail['msg']}".removeprefix(": ").replace("Value error, ", ""))
    return words
