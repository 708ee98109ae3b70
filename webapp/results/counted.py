"""What is counted, and how it is added up: the same by minute, by hour and by UTC day.

All figures of an hour are its minutes' sums, and a day's its hours', but a peak, which is their
greatest. So what is new to a minute is new to its hour and its day.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

from django.db import connection

from webapp.common.rows import Kind, write_rows
from webapp.results.arrivals import Key

Length: TypeAlias = Literal["minute", "hour", "day"]
How: TypeAlias = Literal["sum", "max"]
Place: TypeAlias = tuple[Key, datetime, *tuple[Key | int, ...]]
"""Camera, begin, what else tells a row from others, organization."""
Figures: TypeAlias = tuple[int, ...]
Counts: TypeAlias = Mapping[Place, Figures]

_ADDED: Final[dict[How, str]] = {
    "sum": "{0} = kept.{0} + excluded.{0}",
    "max": "{0} = CASE WHEN excluded.{0} > kept.{0} THEN excluded.{0} ELSE kept.{0} END",
}


class Counted:
    """One kind of counts: a table for each length of time."""

    def __init__(self, of: str, keys: Mapping[str, Kind], figures: Mapping[str, How]) -> None:
        self._of = of
        self._keys = "".join(f", {name}" for name in keys)
        self._figures = dict(figures)
        self._kinds: list[Kind] = ["uuid", "timestamptz", *keys.values(), "uuid"]
        self._kinds += ["int8"] * len(figures)

    def add(self, length: Length, counts: Counts) -> None:
        """Add what is new to the rows of this length."""
        key = f"camera_id, {length}_at{self._keys}"
        added = ", ".join(_ADDED[how].format(name) for name, how in self._figures.items())
        write_rows(
            f"INSERT INTO results_{self._of}{length} AS kept"
            f" ({key}, organization_id, {', '.join(self._figures)})"
            f" {{rows}} ON CONFLICT ({key}) DO UPDATE SET {added}",
            self._kinds,
            [(*place, *counts[place]) for place in sorted(counts)],
        )

    def longer(
        self, counts: Counts, begin_of: Callable[[datetime], datetime], *, before: datetime
    ) -> Counts:
        """Return what of the counts is before then, by longer stretches of time."""
        longer: dict[Place, Figures] = {}
        for shorter, figures in counts.items():
            if shorter[1] < before:
                place = (shorter[0], begin_of(shorter[1]), *shorter[2:])
                others = longer.get(place)
                longer[place] = self._together(others, figures) if others else figures
        return longer

    def forget(self, length: Length, *, since: datetime) -> None:
        """Delete the rows of this length that begin then or later."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM results_{self._of}{length} WHERE {length}_at >= %s",  # noqa: S608 - constants only
                [connection.ops.adapt_datetimefield_value(since)],
            )

    def adding_up(self, length: Length, finer: Length) -> str:
        """Return what makes a camera's rows of this length from all finer ones of a time.

        It takes the camera, the time's begin and its end.
        """
        key, names = f"camera_id, {length}_at{self._keys}", ", ".join(self._figures)
        sums = ", ".join(f"{how}({name})" for name, how in self._figures.items())
        return (
            f"INSERT INTO results_{self._of}{length} ({key}, organization_id, {names})"  # noqa: S608 - constants only
            f" SELECT camera_id, {_begin_of(length, f'{finer}_at')} AS begun{self._keys},"
            f" organization_id, {sums} FROM results_{self._of}{finer}"
            f" WHERE camera_id = %s AND {finer}_at >= %s AND {finer}_at < %s"
            f" GROUP BY camera_id, begun{self._keys}, organization_id"
            f" ON CONFLICT ({key}) DO UPDATE SET"
            f" {', '.join(f'{name} = excluded.{name}' for name in self._figures)}"
        )

    def _together(self, one: Figures, other: Figures) -> Figures:
        pairs = zip(self._figures.values(), one, other, strict=True)
        return tuple(max(a, b) if how == "max" else a + b for how, a, b in pairs)


def _begin_of(length: Length, column: str) -> str:
    """Return when the hour or day of a column's instant began, for the database."""
    if connection.vendor == "postgresql":
        return f"date_trunc('{length}', {column}, 'UTC')"
    n_digits, rest = (10, " 00:00:00") if length == "day" else (13, ":00:00")
    return f"substr({column}, 1, {n_digits}) || '{rest}'"


CAMERAS: Final = Counted("camera", {}, {"n_results": "sum"})
LABELS: Final = Counted(
    "label",
    {"bundle_id": "uuid", "label": "int8"},
    {"n_detections": "sum", "n_tracks": "sum", "peak": "max"},
)
ZONES: Final = Counted(
    "zone", {"zone_id": "uuid", "bundle_id": "uuid", "label": "int8"}, {"n_tracks": "sum"}
)
ALL: Final = (CAMERAS, LABELS, ZONES)
