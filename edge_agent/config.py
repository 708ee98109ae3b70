"""Every setting of the agent: name, type, default. Nothing else reads environment or file."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from processing.inference.device_names import device_names


class BadConfig(Exception):
    """A setting is wrong; the text says which, and what would be right."""


def checked_hub_url(url: str) -> str:
    """Return the hub's address without a trailing slash; raise `ValueError` unless it is safe."""
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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked_devices(setting: str) -> str:
    device_names(setting)
    return setting


HubUrl = Annotated[str, AfterValidator(checked_hub_url)]
Devices = Annotated[str, AfterValidator(_checked_devices)]


class AgentConfig(BaseSettings):
    """What a person may set: `FARWATCH_DATA_DIR=...`, or `data_dir = "..."` in a TOML file."""

    model_config = SettingsConfigDict(
        env_prefix="FARWATCH_",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
    )

    data_dir: Path = Path(".data/agent")
    """Identity, outbox, last wishes of the hub. Its user alone may read it."""
    hub_url: HubUrl | None = None
    """Of another address than the one enrolled with, if the hub has moved."""
    bundle: Path | None = None
    """The folder of the bundle to run."""
    cache_dir: Path | None = None
    """Keeps compiled networks; without it in `data_dir`."""
    device: Devices = "CPU"
    """As OpenVINO names it: CPU, GPU, NPU, AUTO. Several, as GPU,CPU, share the work; where all of
    them fail the CPU does it."""
    inference_mode: Literal["throughput", "latency"] = "throughput"
    """Many frames a second, or each of them soon."""
    inference_requests: Annotated[int, Field(ge=1, le=64)] | None = None
    """Frames on a device at once; without it as many as keep it busy."""
    hardware_decode: Annotated[str, Field(pattern="^[a-z0-9]{0,16}$")] = ""
    """Decode video on a chip that FFmpeg knows by this name, such as qsv; empty: on the CPU, as
    also where the chip is not there or does not know the video."""
    files_dir: Path | None = None
    """The only folder whose videos a camera `file:NAME` may play."""
    ledger: Path | None = None
    """For tests: a line for every result, before it is stored and after."""
    outbox_max_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 512
    """More than this that the hub has not taken yet, and the oldest pictures go first."""
    clips_dir: Path | None = None
    """Keeps clips of events; without it in `data_dir`."""
    clips_max_mb: Annotated[int, Field(ge=10, le=10_000_000)] = 2048
    """The oldest clips go when all together are larger."""
    clips_max_days: Annotated[float, Field(gt=0, le=3650)] = 14.0
    """Older clips go."""
    discovers_cameras: bool = True
    """Ask the network now and then which cameras there are (ONVIF), to suggest them at the hub."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 9465
    """Serves `/metrics` for Prometheus, and `/healthz`, to this machine only; 0: not at all."""
    notify_socket: Annotated[str, Field(validation_alias="NOTIFY_SOCKET")] = ""
    """Where systemd listens for signs of life; it sets this itself, and the next one."""
    watchdog_usec: Annotated[int, Field(ge=0, validation_alias="WATCHDOG_USEC")] = 0
    log_format: Literal["console", "json"] = "console"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)
    ] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 pydantic names them
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 pydantic names them
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line before environment before file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def resolved_cache_dir(self) -> Path:
        """Return where compiled networks are kept."""
        return self.cache_dir or self.data_dir / "cache"

    @property
    def resolved_clips_dir(self) -> Path:
        """Return where clips are kept."""
        return self.clips_dir or self.data_dir / "clips"


def load_config(file: Path | None = None, **options: object) -> AgentConfig:
    """Return the settings; options that are None count as not given. Raise `BadConfig`."""
    given = {name: value for name, value in options.items() if value is not None}
    if file is not None and not file.is_file():
        raise BadConfig(f"there is no settings file {file}")

    class FromFile(AgentConfig):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        return FromFile(**given)  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        raise BadConfig("; ".join(_in_words(error))) from error
    except ValueError as error:
        raise BadConfig(f"{file} is no TOML: {error}") from error


def _in_words(error: ValidationError) -> list[str]:
    words: list[str] = []
    for detail in error.errors():
        name = ".".join(str(part) for part in detail["loc"])
        words.append(f"{name}: {detail['msg'].removeprefix('Value error, ')}")
    return words
