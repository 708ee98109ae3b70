"""Minutes into hours, which charts of months read, in the transaction that writes the minutes.

All figures of an hour are sums of its minutes' but the peak, which is their greatest: what is new
to a minute is new to its hour, late data too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from webapp.common.rows import Kind, write_rows

Key: TypeAlias = str
"""A UUID, hex without dashes."""


class Seen(Protocol):
    """What one bundle saw through one camera in a minute, as `webapp.results.bulk` gathers it."""

    @property
    def organization(self) -> Key: ...
    @property
    def n_results(self) -> int: ...
    @property
    def labels(self) -> Mapping[int, Sequence[int]]:
        """For each class: detections, tracks that began, the most at once."""
        ...


_FOLD_CAMERAS: Final = (
    "INSERT INTO results_camerahour AS kept (camera_id, hour_at, organization_id, n_results)"
    " {rows} ON CONFLICT (camera_id, hour_at) DO UPDATE"
    " SET n_results = kept.n_results + excluded.n_results"
)
_FOLD_LABELS: Final = (
    "INSERT INTO results_labelhour AS kept"
    " (camera_id, hour_at, bundle_id, label, organization_id, n_detections, n_tracks, peak)"
    " {rows} ON CONFLICT (camera_id, hour_at, bundle_id, label) DO UPDATE SET"
    " n_detections = kept.n_detections + excluded.n_detections,"
    " n_tracks = kept.n_tracks + excluded.n_tracks,"
    " peak = CASE WHEN excluded.peak > kept.peak THEN excluded.peak ELSE kept.peak END"
)
_CAMERA_KINDS: Final[tuple[Kind, ...]] = ("uuid", "timestamptz", "uuid", "int8")
_LABEL_KINDS: Final[tuple[Kind, ...]] = (
    "uuid", "timestamptz", "uuid", "int8", "uuid", "int8", "int8", "int8",
)  # fmt: skip


def fold_into_hours(minutes: Mapping[tuple[Key, Key, datetime], Seen]) -> None:
    """Add what is new to minutes, by camera, bundle and begin, to their hours."""
    cameras: dict[tuple[Key, datetime], tuple[Key, int]] = {}
    labels: dict[tuple[Key, datetime, Key, int], tuple[Key, int, int, int]] = {}
    for (camera, bundle, minute_at), seen in minutes.items():
        hour_at = minute_at.replace(minute=0)
        _, n_results = cameras.get((camera, hour_at), ("", 0))
        cameras[camera, hour_at] = (seen.organization, n_results + seen.n_results)
        for label, (n_detections, n_tracks, peak) in seen.labels.items():
            key = (camera, hour_at, bundle, label)
            _, before, tracks_before, most = labels.get(key, ("", 0, 0, 0))
            labels[key] = (
                seen.organization, before + n_detections, tracks_before + n_tracks, max(most, peak),
            )  # fmt: skip
    write_rows(_FOLD_CAMERAS, _CAMERA_KINDS, [(*key, *cameras[key]) for key in sorted(cameras)])
    write_rows(_FOLD_LABELS, _LABEL_KINDS, [(*key, *labels[key]) for key in sorted(labels)])
