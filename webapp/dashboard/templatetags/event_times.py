"""Times of events: `{% clock instant %}`, `{% day_and_clock instant %}`, `{{ length|duration }}`.

`{% running_since instant %}` counts. `static/js/events/clocks.js` writes the first two in the
visitor's own time and keeps the last one true.
"""

from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webapp.common.clock import now

register = template.Library()

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@register.filter
def duration(length: timedelta | float) -> str:
    """Return a length of time to the second, in at most two units: 12 s, 3 min 5 s, 2 h 4 min."""
    exact = length.total_seconds() if isinstance(length, timedelta) else length
    seconds = max(round(exact), 0)
    if not seconds and exact > 0:
        return "under 1 s"
    if seconds < _MINUTE:
        return f"{seconds} s"
    for unit, name, part, part_name in (
        (_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s"),
    ):  # fmt: skip
        whole, rest = divmod(seconds, unit)
        if whole:
            rest //= part
            return f"{whole} {name} {rest} {part_name}" if rest else f"{whole} {name}"
    raise AssertionError(seconds)


@register.filter
def until(instant: datetime, at: datetime) -> str:
    """Return how long it is from `at` to `instant`, as `duration` does."""
    return duration(instant - at)


@register.simple_tag
def clock(instant: datetime) -> SafeString:
    """Return a `<time>` to the second; in UTC until the page's script knows better."""
    return format_html(
        '<time datetime="{}" title="{}" data-clock>{}</time>',
        instant.isoformat(timespec="milliseconds"),
        f"{instant:%Y-%m-%d %H:%M:%S} UTC",
        f"{instant:%H:%M:%S}",
    )


@register.simple_tag
def day_and_clock(instant: datetime) -> SafeString:
    """Return a `<time>` with its day; in UTC until the page's script knows better."""
    return format_html(
        '<time datetime="{}" data-clock="day">{}</time>',
        instant.isoformat(timespec="milliseconds"),
        f"{instant:%Y-%m-%d %H:%M:%S} UTC",
    )


@register.simple_tag
def running_since(instant: datetime) -> SafeString:
    """Return a `<time>` that counts: "running for 12 s"."""
    return format_html(
        '<time datetime="{}" data-running>running for {}</time>',
        instant.isoformat(timespec="milliseconds"),
        duration(now() - instant),
    )
