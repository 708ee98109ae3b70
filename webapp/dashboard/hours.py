"""Hours of the week in words: `Mon-Fri 18:00-06:00, Sat-Sun 00:00-24:00`. `week.js` is its twin."""

import re
from typing import Final

from processing.wire.camera import Window

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MAX_WINDOWS: Final = 28

_DAY: Final = "|".join(DAYS)
_SPAN: Final = re.compile(rf"(?P<first>{_DAY})(?:-(?P<last>{_DAY}))?", re.IGNORECASE)
_TIME: Final = r"(\d{1,2}):(\d{2})"
_DASH: Final = re.compile("\\s*[-\N{EN DASH}]\\s*")
_PART: Final = re.compile(rf"(?P<days>[a-z ,-]+?)\s*{_TIME}-{_TIME}\s*(?:[,;]|$)\s*", re.IGNORECASE)
_MINUTES_A_DAY: Final = 24 * 60


class BadHours(ValueError):
    """This says no hours; the text says what is wrong."""


def parse_hours(text: str) -> tuple[Window, ...]:
    """Return the windows that `text` names, none for an empty one; raise `BadHours`."""
    windows = []
    at, text = 0, _DASH.sub("-", text.strip())
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            raise BadHours(f"Not understood: “{text[at : at + 40]}”. Write Mon-Fri 18:00-06:00.")
        windows.append(_window(part))
        at = part.end()
    if len(windows) > MAX_WINDOWS:
        raise BadHours(f"At most {MAX_WINDOWS} times, please.")
    return tuple(windows)


def hours_in_words(windows: tuple[Window, ...]) -> str:
    """Return windows as `parse_hours` reads them."""
    return ", ".join(
        f"{_days_in_words(window.days)} {_clock(window.from_minute)}-{_clock(window.to_minute)}"
        for window in windows
    )


def _window(part: re.Match[str]) -> Window:
    days: set[int] = set()
    for span in part["days"].replace(",", " ").split():
        found = _SPAN.fullmatch(span)
        if found is None:
            raise BadHours(f"“{span}” is no day. Days are {', '.join(DAYS)}.")
        days.update(_days_of(found))
    begin, end = _minute(part[2], part[3]), _minute(part[4], part[5])
    if begin in {end, _MINUTES_A_DAY}:
        raise BadHours(f"“{part[0].strip(' ,;')}” ends when it begins, or begins the day after.")
    return Window(days=tuple(sorted(days)), from_minute=begin, to_minute=end)


def _days_of(span: re.Match[str]) -> list[int]:
    first = _day(span["first"])
    last = _day(span["last"]) if span["last"] else first
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _day(name: str) -> int:
    return DAYS.index(name.title())


def _minute(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > _MINUTES_A_DAY:  # noqa: PLR2004 - minutes of an hour
        raise BadHours(f"“{hour}:{minute}” is no time of a day.")
    return total


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _days_in_words(days: tuple[int, ...]) -> str:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return " ".join("-".join(DAYS[day] for day in sorted({run[0], run[-1]})) for run in runs)
