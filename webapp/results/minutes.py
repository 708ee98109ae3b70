"""Results into the minutes that charts read, in the transaction that stores them."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from itertools import repeat
from typing import Final, TypeAlias

from processing.wire.packed import RECORD
from webapp.common.rows import Kind, write_rows
from webapp.results.arrivals import Key, NewResults
from webapp.results.hours import fold_into_hours

_MINUTE: Final = timedelta(minutes=1)
_LABEL: Final = 5
"""Which of a detection's numbers of two bytes is its label."""
_NONE: Final = (0, 0)
_FOLD_CAMERAS: Final = (
    "INSERT INTO results_cameraminute AS kept (camera_id, minute_at, organization_id, n_results)"
    " {rows} ON CONFLICT (camera_id, minute_at) DO UPDATE"
    " SET n_results = kept.n_results + excluded.n_results"
)
_FOLD_LABELS: Final = (
    "INSERT INTO results_labelminute AS kept"
    " (camera_id, bundle_id, minute_at, label, organization_id, n_detections, n_tracks, peak)"
    " {rows} ON CONFLICT (camera_id, bundle_id, minute_at, label) DO UPDATE SET"
    " n_detections = kept.n_detections + excluded.n_detections,"
    " n_tracks = kept.n_tracks + excluded.n_tracks,"
    " peak = CASE WHEN excluded.peak > kept.peak THEN excluded.peak ELSE kept.peak END"
)
_CAMERA_KINDS: Final[tuple[Kind, ...]] = ("uuid", "timestamptz", "uuid", "int8")
_LABEL_KINDS: Final[tuple[Kind, ...]] = (
    "uuid", "uuid", "timestamptz", "int8", "uuid", "int8", "int8", "int8",
)  # fmt: skip

MinuteKey: TypeAlias = tuple[Key, Key, datetime]
"""Camera, bundle, begin."""


class Minute:
    """What one bundle saw through one camera in a minute."""

    def __init__(self, organization: Key) -> None:
        self.organization = organization
        self.frames: list[bytes] = []
        """The packed detections of each."""
        self.started: dict[int, int] = {}
        """How many tracks of a label began."""

    @property
    def n_results(self) -> int:
        return len(self.frames)

    @cached_property
    def labels(self) -> dict[int, tuple[int, int, int]]:
        """For each class: detections, tracks that began, the most at once."""
        # A text of labels, a character each: nothing counts faster.
        text = _labels_in(b"".join(self.frames))
        frames, begin = set[str](), 0
        for packed in self.frames:
            end = begin + len(packed) // RECORD.size
            frames.add(text[begin:end])
            begin = end
        seen = {
            ord(label): (text.count(label), max(map(str.count, frames, repeat(label))))
            for label in set(text)
        }
        return {
            label: (
                seen.get(label, _NONE)[0],
                self.started.get(label, 0),
                seen.get(label, _NONE)[1],
            )
            for label in sorted(seen.keys() | self.started.keys())
        }


def _labels_in(packed: bytes) -> str:
    """Return the labels of packed detections as characters; none is as high as a surrogate."""
    return memoryview(packed).cast("H")[_LABEL :: RECORD.size // 2].tobytes().decode("utf-16-le")


def fold_into_minutes(arrivals: Iterable[NewResults]) -> Collection[MinuteKey]:
    """Add results that are new to the table to their minutes and hours; return which minutes."""
    minutes = gather(arrivals)
    in_order = sorted(minutes.items(), key=lambda item: item[0])
    cameras: dict[tuple[Key, datetime], tuple[Key, int]] = {}
    for (camera, _, begin), minute in in_order:
        _, n_results = cameras.get((camera, begin), ("", 0))
        cameras[camera, begin] = (minute.organization, n_results + minute.n_results)
    write_rows(_FOLD_CAMERAS, _CAMERA_KINDS, [(*key, *cameras[key]) for key in sorted(cameras)])
    write_rows(
        _FOLD_LABELS,
        _LABEL_KINDS,
        [
            (camera, bundle, begin, label, minute.organization, *seen)
            for (camera, bundle, begin), minute in in_order
            for label, seen in minute.labels.items()
        ],
    )
    fold_into_hours(minutes)
    return minutes.keys()


def gather(arrivals: Iterable[NewResults]) -> dict[MinuteKey, Minute]:
    """Return what is to be added to each minute."""
    minutes: dict[MinuteKey, Minute] = {}
    for arrived in arrivals:
        camera = bundle = ""
        begin = end = arrived.received_at
        minute = Minute(arrived.organization)
        for new in arrived.results:
            # Most belong where the one before belongs.
            is_same = new.camera == camera and new.bundle == bundle
            if not is_same or not begin <= new.captured_at < end:
                camera, bundle = new.camera, new.bundle
                begin = new.captured_at.replace(second=0, microsecond=0)
                end = begin + _MINUTE
                minute = minutes.setdefault((camera, bundle, begin), Minute(arrived.organization))
            minute.frames.append(new.detections)
            for label, n_tracks in new.n_started:
                minute.started[label] = minute.started.get(label, 0) + n_tracks
    return minutes
