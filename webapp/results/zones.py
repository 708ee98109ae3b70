"""What came into zones, into its minutes and hours, in the transaction that stores the results."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypeAlias

from webapp.common.rows import Kind, write_rows
from webapp.results.arrivals import Key, NewResults

_Place: TypeAlias = tuple[Key, Key, datetime, Key, int]
"""Camera, zone, begin, bundle, label."""
_KINDS: Final[tuple[Kind, ...]] = (
    "uuid", "uuid", "timestamptz", "uuid", "int8", "uuid", "int8",
)  # fmt: skip


def _adds(length: str) -> str:
    key = f"camera_id, zone_id, {length}_at, bundle_id, label"
    return (
        f"INSERT INTO results_zone{length} AS kept ({key}, organization_id, n_tracks)"
        f" {{rows}} ON CONFLICT ({key}) DO UPDATE SET n_tracks = kept.n_tracks + excluded.n_tracks"
    )


_ADD_TO_MINUTES: Final = _adds("minute")
_ADD_TO_HOURS: Final = _adds("hour")


def fold_into_zones(arrivals: Iterable[NewResults]) -> None:
    """Add what came into zones to their minutes and hours; nothing where nothing did."""
    minutes: dict[_Place, tuple[Key, int]] = {}
    hours: dict[_Place, tuple[Key, int]] = {}
    for arrived in arrivals:
        for new in arrived.entered:
            minute_at = new.captured_at.replace(second=0, microsecond=0)
            for counts, begin in ((minutes, minute_at), (hours, minute_at.replace(minute=0))):
                place = (new.camera, new.zone, begin, new.bundle, new.label)
                _, before = counts.get(place, ("", 0))
                counts[place] = (arrived.organization, before + new.n_tracks)
    write_rows(_ADD_TO_MINUTES, _KINDS, [(*key, *minutes[key]) for key in sorted(minutes)])
    write_rows(_ADD_TO_HOURS, _KINDS, [(*key, *hours[key]) for key in sorted(hours)])
