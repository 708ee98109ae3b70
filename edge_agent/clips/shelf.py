"""The folder of clips on the device: bounded in size and age, and its own index.

A clip's file name says all there is to know of it. After a kill there is nothing to repair: what
has its name is whole, what is named `.part` is not.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from edge_agent.spool.ballast import free_bytes
from processing.wire.messages import ClipMade

_MB: Final = 1024 * 1024
_PART: Final = ".part"
_WHOLE: Final = ".mp4"
_INSTANT: Final = "%Y%m%dT%H%M%S.%f"
_N_FIELDS: Final = 4

log = structlog.get_logger()


class ShelfFull(Exception):
    """There is no room for a clip, and nothing left that could be deleted for it."""


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """A clip on the shelf; the oldest comes first."""

    begins_at: datetime
    clip_id: UUID
    camera_id: UUID
    milliseconds: int
    n_bytes: int

    @property
    def file_name(self) -> str:
        """Return the name that says all but the size."""
        begins = self.begins_at.astimezone(UTC).strftime(_INSTANT)
        return f"{begins}_{self.milliseconds}_{self.camera_id}_{self.clip_id}{_WHOLE}"

    @property
    def ends_at(self) -> datetime:
        return self.begins_at + timedelta(milliseconds=self.milliseconds)

    @property
    def made(self) -> ClipMade:
        """Return what the hub is told."""
        return ClipMade(
            clip_id=self.clip_id,
            begins_at=self.begins_at,
            seconds=self.milliseconds / 1000.0,
            n_bytes=self.n_bytes,
        )


class ClipShelf:
    """Any thread may call. Methods raise `OSError` where the disk does."""

    def __init__(
        self,
        folder: Path,
        *,
        max_mb: int,
        max_days: float,
        min_free_mb: int = 512,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Open or make the folder; remove what was never finished in it."""
        self._folder: Final = folder
        self._max_bytes: Final = max_mb * _MB
        self._max_age: Final = timedelta(days=max_days)
        self._min_free: Final = min_free_mb * _MB
        self._free: Final = free
        self._lock = threading.Lock()
        self._is_short_of_room = False
        self.n_deleted = 0
        """Clips deleted for room so far; those that were merely old do not count."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in folder.glob(f"*{_PART}"):
            part.unlink(missing_ok=True)
        self._kept = {kept.clip_id: kept for kept in map(_read, folder.iterdir()) if kept}

    def part(self, clip_id: UUID) -> Path:
        """Return where to write a clip until it is whole."""
        return self._folder / f"{clip_id}{_PART}"

    def add(self, part: Path, *, clip_id: UUID, camera_id: UUID, begins_at: datetime,
            seconds: float) -> ClipMade:  # fmt: skip
        """Keep a finished part, safe from a power cut. Raise `ShelfFull`: it is gone then."""
        milliseconds = round(seconds * 1000)
        kept = Kept(begins_at, clip_id, camera_id, milliseconds, part.stat().st_size)
        _sync(part)
        with self._lock:
            self._make_room(kept.n_bytes, part)
            part.rename(self._folder / kept.file_name)
            _sync(self._folder)
            self._kept[clip_id] = kept
        return kept.made

    def find(self, clip_id: UUID) -> Path | None:
        """Return the file of a clip that is kept."""
        with self._lock:
            kept = self._kept.get(clip_id)
            return self._folder / kept.file_name if kept else None

    def made(self, clip_id: UUID) -> ClipMade | None:
        """Return what the hub is told of a clip that is kept."""
        with self._lock:
            kept = self._kept.get(clip_id)
            return kept.made if kept else None

    def expire(self, now: datetime) -> None:
        """Delete what is too old, and what is too much by now."""
        with self._lock:
            for kept in sorted(self._kept.values()):
                if kept.ends_at < now - self._max_age:
                    self._delete(kept)
            if self._excess(self._max_bytes // 5) <= 0:
                self._is_short_of_room = False
            self._shrink(0)

    @property
    def n_bytes(self) -> int:
        """Return the size of all clips together."""
        with self._lock:
            return self._n_bytes()

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)

    def _make_room(self, n_bytes: int, part: Path) -> None:
        """Delete the oldest until so many bytes fit, which are on the disk already."""
        self._shrink(n_bytes)
        if self._excess(n_bytes) > 0:
            part.unlink()
            raise ShelfFull(f"a clip of {n_bytes // _MB} MB does not fit on the shelf")

    def _shrink(self, n_bytes: int) -> None:
        oldest_first = sorted(self._kept.values())
        for kept in oldest_first:
            if self._excess(n_bytes) <= 0:
                return
            if not self._is_short_of_room:
                self._is_short_of_room = True
                log.warning("clips.deleted_for_room", n_kept=len(oldest_first))
            self.n_deleted += 1
            self._delete(kept)

    def _excess(self, n_bytes: int) -> int:
        """Return how many bytes are too many, with so many more."""
        too_large = self._n_bytes() + n_bytes - self._max_bytes
        return max(too_large, self._min_free - self._free(self._folder))

    def _n_bytes(self) -> int:
        return sum(kept.n_bytes for kept in self._kept.values())

    def _delete(self, kept: Kept) -> None:
        (self._folder / kept.file_name).unlink(missing_ok=True)
        del self._kept[kept.clip_id]


def _read(file: Path) -> Kept | None:
    """Return the clip whose name the file has; None if it has no clip's name."""
    fields = file.name.removesuffix(_WHOLE).split("_")
    if file.suffix != _WHOLE or len(fields) != _N_FIELDS:
        return None
    begins, milliseconds, camera_id, clip_id = fields
    try:
        begins_at = datetime.strptime(begins, _INSTANT).replace(tzinfo=UTC)
        n_bytes = file.stat().st_size
        return Kept(begins_at, UUID(clip_id), UUID(camera_id), int(milliseconds), n_bytes)
    except (ValueError, FileNotFoundError):
        return None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
