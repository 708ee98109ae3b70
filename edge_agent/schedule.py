"""When a camera is watched: the hours of a schedule, in its own time zone."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from processing.wire.camera import Schedule, Window

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOUR, _DAY = 60, 24 * 60


def zone_of(schedule: Schedule) -> tzinfo | None:
    """Return the time zone; None if this machine does not know it."""
    try:
        return ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, no name at all, a folder
        return None


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Return whether the camera is watched at this instant; an unknown zone counts as UTC.

    Hours are what the clock on the wall shows: one that summer time skips is not there, one that
    comes twice is there twice. A window that ends when it begins is empty.
    """
    if not schedule.windows:
        return True
    local = at.astimezone(zone_of(schedule) or UTC)
    today, minute = local.weekday(), local.hour * _HOUR + local.minute
    yesterday = (today - 1) % 7
    return any(
        (today in window.days and window.from_minute <= minute < _end(window))
        or (yesterday in window.days and minute + _DAY < _end(window))
        for window in schedule.windows
    )


def next_open(schedule: Schedule, at: datetime) -> datetime | None:
    """Return when the next window begins after this instant, in the schedule's zone.

    None if there is no window that is not empty.
    """
    zone = zone_of(schedule) or UTC
    local = at.astimezone(zone)
    begins = [
        datetime.combine(day, time(window.from_minute // _HOUR, window.from_minute % _HOUR), zone)
        for day in (local.date() + timedelta(days=n) for n in range(8))
        for window in schedule.windows
        if day.weekday() in window.days and window.from_minute < _end(window)
    ]
    return min((begin for begin in begins if begin > local), default=None)


def why_closed(schedule: Schedule, at: datetime) -> str:
    """Return why the camera is not watched, in words; empty if it is."""
    if is_open(schedule, at):
        return ""
    begin = next_open(schedule, at)
    if begin is None:
        return "outside its hours"
    return f"outside its hours (next: {_DAYS[begin.weekday()]} {begin:%H:%M})"


def _end(window: Window) -> int:
    """Return the minute after its last, counted from the midnight before its first."""
    is_overnight = window.to_minute < window.from_minute
    return window.to_minute + (_DAY if is_overnight else 0)
