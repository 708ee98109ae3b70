"""Whether the file of an old day is the one that was written."""

import hashlib
import os
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import structlog

from webapp.results.archive_files import Unreadable
from webapp.results.models import ArchivedDay

log = structlog.get_logger(__name__)


class Missing(Unreadable):
    """There is no such file."""


def checked_file(row: ArchivedDay) -> Path:
    """Return where the file is; raise `Missing`, or `Unreadable` when it is another one."""
    found = _sized(row)
    try:
        sha256 = _sha256(row.path, found.st_size, found.st_mtime_ns, found.st_ino)
    except OSError as error:
        raise Unreadable(str(error.strerror)) from error
    if sha256 != row.sha256:
        raise Unreadable("its content is not what was written")
    return row.path


def _sized(row: ArchivedDay) -> os.stat_result:
    try:
        found = row.path.stat()
    except FileNotFoundError as error:
        raise Missing("it is not there") from error
    except OSError as error:
        raise Unreadable(str(error.strerror)) from error
    if found.st_size != row.n_bytes:
        raise Unreadable(f"it has {found.st_size} bytes instead of {row.n_bytes}")
    return found


def mark_damaged(row: ArchivedDay, reason: str, *, at: datetime) -> None:
    """Say once that a day cannot be read; its next turn in the archive writes it anew if it can."""
    sound = ArchivedDay.objects.filter(pk=row.pk, sha256=row.sha256, damaged_at=None)
    if sound.update(damaged_at=at, is_damage_told=False):
        log.error(
            "archive.damaged",
            organization=str(row.organization_id), day=str(row.day), reason=reason,
        )  # fmt: skip


def newly_damaged(at: datetime) -> list[ArchivedDay]:
    """Look whether files are there, and return those that cannot be read, each once."""
    for row in ArchivedDay.objects.iterator():
        _look(row, at)
    damaged = ArchivedDay.objects.exclude(damaged_at=None).filter(is_damage_told=False)
    return [
        row
        for row in damaged
        if ArchivedDay.objects.filter(pk=row.pk, is_damage_told=False).update(is_damage_told=True)
    ]


def _look(row: ArchivedDay, at: datetime) -> None:
    """See whether the file is there and as long as it was; one that is back is read whole."""
    try:
        if row.damaged_at is None:
            _sized(row)
        else:
            checked_file(row)
            ArchivedDay.objects.filter(pk=row.pk, sha256=row.sha256).update(damaged_at=None)
    except Unreadable as error:
        mark_damaged(row, str(error), at=at)


@lru_cache(maxsize=1024)
def _sha256(path: Path, size: int, mtime_ns: int, inode: int) -> str:  # noqa: ARG001 - of the key: a file that changed is read anew
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
