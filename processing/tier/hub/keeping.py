"""What a tier keeps in its data folder: who it is, what it was told to serve, unreported uses."""

import contextlib
import os
import threading
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID, uuid4

import msgspec
import structlog
from msgspec import Struct

from processing.wire.tier import TierWanted, Use

_MAX_BYTES: Final = 64 * 1024 * 1024

log = structlog.get_logger()
T = TypeVar("T")


class Sent(Struct, frozen=True, kw_only=True):
    """Uses that were put into a report that the hub has not said to have counted."""

    boot_id: UUID
    number: int
    uses: tuple[Use, ...]


class Unreported(Struct, frozen=True, kw_only=True):
    """All uses that the hub may not have counted yet."""

    sent: Sent | None = None
    waiting: tuple[Use, ...] = ()


class _Identity(Struct, frozen=True, kw_only=True):
    tier_id: UUID


class DataFolder:
    """A folder of small JSON files, each written whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Raise `OSError` if there can be none."""
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._writing = threading.Lock()
        """Whoever writes on a thread may be cancelled, and the thread goes on."""

    def tier_id(self) -> UUID:
        """Return who this tier is, for as long as the folder lasts."""
        known = self._read("tier.json", _Identity)
        if known is None:
            known = _Identity(tier_id=uuid4())
            self._write("tier.json", known)
        return known.tier_id

    def read_wanted(self) -> TierWanted | None:
        """Return what was to be served when the hub last said so."""
        return self._read("wanted.json", TierWanted)

    def write_wanted(self, wanted: TierWanted) -> None:
        """Keep it."""
        self._write("wanted.json", wanted)

    def read_unreported(self) -> Unreported:
        """Return what the process before this one left."""
        return self._read("unreported.json", Unreported) or Unreported()

    def write_unreported(self, unreported: Unreported) -> None:
        """Keep it; it must be on the disk before it is sent."""
        self._write("unreported.json", unreported)

    def _read(self, name: str, type_: type[T]) -> T | None:
        try:
            with (self._path / name).open("rb") as file:
                content = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(content, type=type_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("data.unreadable", file=name, reason=str(error))
            with contextlib.suppress(OSError):
                (self._path / name).replace(self._path / f"{name}.unreadable")
            return None

    def _write(self, name: str, content: Struct) -> None:
        new = self._path / f"{name}.new"
        with self._writing:
            with new.open("wb") as file:
                file.write(msgspec.json.encode(content))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path / name)
