"""What results add to the minutes that charts read."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from itertools import repeat
from typing import Final, TypeAlias

from processing.wire.packed import RECORD
from webapp.results.arrivals import Key, NewResults
from webapp.results.counted import CAMERAS, LABELS, ZONES, Counted, Counts, Figures, Place

_MINUTE: Final = timedelta(minutes=1)
_LABEL: Final = 5
"""Which of a detection's numbers of two bytes is its label."""
_NONE: Final = (0, 0)
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


def in_minutes(arrivals: Collection[NewResults]) -> dict[Counted, Counts]:
    """Return what results add to minutes."""
    cameras: dict[Place, Figures] = {}
    labels: dict[Place, Figures] = {}
    for (camera, bundle, begin), minute in gather(arrivals).items():
        place = (camera, begin, minute.organization)
        (n_results,) = cameras.get(place, (0,))
        cameras[place] = (n_results + minute.n_results,)
        for label, seen in minute.labels.items():
            labels[camera, begin, bundle, label, minute.organization] = seen
    return {CAMERAS: cameras, LABELS: labels, ZONES: _entered(arrivals)}


def _entered(arrivals: Iterable[NewResults]) -> Counts:
    """Return what came into zones."""
    zones: dict[Place, Figures] = {}
    for arrived in arrivals:
        for new in arrived.entered:
            begin = new.captured_at.replace(second=0, microsecond=0)
            place = (new.camera, begin, new.zone, new.bundle, new.label, arrived.organization)
            (n_tracks,) = zones.get(place, (0,))
            zones[place] = (n_tracks + new.n_tracks,)
    return zones


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
