"""Old days of results into Parquet files, one for each organization and UTC day.

A file is never changed: late rows make a new one with the rows of both. The row of `ArchivedDay`
names the file that counts, so a crash anywhere leaves the old one or the new one, whole. Whoever
reads merges the files with the table by id, so a row may be in both.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Count, Max, QuerySet

from webapp.accounts.models import Organization
from webapp.common.rooms import room
from webapp.fleet.models import Camera
from webapp.results.archive_check import checked_file
from webapp.results.archive_files import Unreadable, write_file
from webapp.results.archive_source import write_csv
from webapp.results.models import ArchivedDay, Result
from webapp.results.partitions import is_partitioned

_ONE_DAY: Final = timedelta(days=1)
_STRAY_FOR: Final = timedelta(hours=1)
"""A file that no row names may be one that somebody just reads, or is about to name."""

log = structlog.get_logger(__name__)


class Part(NamedTuple):
    """The results of one organization on one UTC day."""

    organization_id: UUID
    day: date

    @property
    def window(self) -> tuple[datetime, datetime]:
        begin = datetime.combine(self.day, time(), UTC)
        return begin, begin + _ONE_DAY


def is_archiving() -> bool:
    """Return whether this hub keeps old days in files."""
    return bool(settings.ARCHIVE_AFTER_DAYS)


def due_before(at: datetime) -> date:
    """Return the day before which finished days are to be in the archive."""
    return (at.astimezone(UTC) - timedelta(days=settings.ARCHIVE_AFTER_DAYS)).date()


def kept_from(at: datetime) -> date:
    """Return the first day that the archive keeps."""
    days = settings.KEEP_DAYS["archive"]
    return (at.astimezone(UTC) - timedelta(days=days)).date() if days else date.min


def parts_in_table(before: date, since: date = date.min) -> Iterator[Part]:
    """Yield what the table has of days in [since, before): a probe of an index for each."""
    end = datetime.combine(before, time(), UTC)
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        rows = Result.objects.filter(organization=organization_id, captured_at__lt=end)
        begin = datetime.combine(since, time(), UTC)
        while (
            first := rows.filter(captured_at__gte=begin)
            .order_by("captured_at")
            .values_list("captured_at", flat=True)
            .first()
        ) is not None:
            part = Part(organization_id, first.astimezone(UTC).date())
            yield part
            begin = part.window[1]


def parts_of(day: date) -> Iterator[Part]:
    """Yield what the table has of a day."""
    return parts_in_table(day + _ONE_DAY, day)


def secure(part: Part, *, at: datetime) -> bool:
    """Have all rows of a part in the archive, if it keeps them; return whether they may go."""
    if not _is_kept(part.day, at) or is_whole(part):
        return True
    return _archived(part, at)


def safe_rows(part: Part, *, at: datetime) -> QuerySet[Result]:
    """Return the rows that may go once a part is secure: none that came since."""
    rows = Result.objects.filter(organization=part.organization_id)
    if not _is_kept(part.day, at):
        return rows
    row = _row(part)
    return rows.filter(pk__lte=row.last_id) if row is not None else rows.none()


def may_go(day: date, *, at: datetime) -> bool:
    """Return whether the table has nothing of a day that the archive lacks."""
    return not _is_kept(day, at) or all(is_whole(part) for part in parts_of(day))


def _is_kept(day: date, at: datetime) -> bool:
    return is_archiving() and day >= kept_from(at)


def is_whole(part: Part) -> bool:
    """Return whether the archive has every row that the table has."""
    row = _row(part)
    held = _rows(part).aggregate(n_rows=Count("pk"), last_id=Max("pk"))
    if not held["n_rows"]:
        return True
    if row is None or row.damaged_at is not None or held["last_id"] > row.last_id:
        return False
    # SQLite has one writer, so ids rise with commits, and rows go in batches.
    return not is_partitioned() or held["n_rows"] == row.n_seen


def archive_due(at: datetime, *, day: date | None = None) -> Iterator[Part]:
    """Write what is due and not in the archive yet; yield each.

    With `day`, that day alone, whether due or not, with its late rows.
    """
    return (part for part in due_parts(at, day=day) if _archived(part, at))


def _archived(part: Part, at: datetime) -> bool:
    try:
        archive(part, at=at)
    except (OSError, Unreadable) as error:
        log.exception("archive.failed", **_named(part), reason=str(error))
        return False
    return True


def due_parts(at: datetime, *, day: date | None = None) -> Iterator[Part]:
    """Yield what is not in the archive yet, and should be."""
    if day is not None:
        yield from (part for part in parts_of(day) if not is_whole(part))
    elif is_archiving():
        known = set(
            ArchivedDay.objects.filter(damaged_at=None).values_list("organization_id", "day")
        )
        for part in parts_in_table(due_before(at), kept_from(at)):
            if part not in known:
                yield part


def archive(part: Part, *, at: datetime) -> ArchivedDay:
    """Write a day's file from the table and the file before, if any.

    Raise `Unreadable` when the file before is damaged and has rows that the table has no more.
    """
    row = _row(part)
    folder = Path(settings.DATA_DIR) / "archive" / part.organization_id.hex
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{part.day}-{os.getpid()}.parquet"
    cameras = Camera.objects.filter(organization=part.organization_id)
    with room(".archive-") as scratch:
        csv = scratch / "rows.csv"
        begin, end = part.window
        n_seen = write_csv(csv, part.organization_id, begin, end)
        try:
            written = write_file(
                aside,
                csv,
                old=_before(row, n_seen),
                cameras=list(cameras.values_list("pk", flat=True)),
                spill=scratch,
            )
            fresh = ArchivedDay(
                organization_id=part.organization_id, day=part.day, sha256=written.sha256
            )
            aside.replace(fresh.path)
            _flush(folder)
        finally:
            aside.unlink(missing_ok=True)
    row, _ = ArchivedDay.objects.update_or_create(
        organization_id=part.organization_id,
        day=part.day,
        defaults={
            "n_rows": written.n_rows,
            "n_seen": n_seen,
            "n_bytes": written.n_bytes,
            "sha256": written.sha256,
            "first_id": written.first_id,
            "last_id": written.last_id,
            "archived_at": at,
            "damaged_at": None,
        },
    )
    log.info("archive.written", **_named(part), rows=written.n_rows, bytes=written.n_bytes)
    return row


def _before(row: ArchivedDay | None, n_seen: int) -> Path | None:
    """Return the file to fold in; none when it is damaged and the table has all of it."""
    if row is None:
        return None
    try:
        return checked_file(row)
    except Unreadable:
        if n_seen < row.n_rows:
            raise
        return None


def sweep(at: datetime) -> int:
    """Delete files that no row names; return how many."""
    named = {row.path for row in ArchivedDay.objects.only("organization_id", "day", "sha256")}
    n_files = 0
    for path in (Path(settings.DATA_DIR) / "archive").glob("*/*.parquet"):
        with suppress(FileNotFoundError):  # somebody else sweeps too
            if path not in named and path.stat().st_mtime < (at - _STRAY_FOR).timestamp():
                path.unlink()
                n_files += 1
    return n_files


def _row(part: Part) -> ArchivedDay | None:
    return ArchivedDay.objects.filter(organization=part.organization_id, day=part.day).first()


def _rows(part: Part) -> QuerySet[Result]:
    begin, end = part.window
    return Result.objects.filter(
        organization=part.organization_id, captured_at__gte=begin, captured_at__lt=end
    )


def _named(part: Part) -> dict[str, str]:
    return {"organization": str(part.organization_id), "day": str(part.day)}


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
