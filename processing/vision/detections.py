"""What a network found in one frame, as a struct of arrays."""

from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Boxes: TypeAlias = NDArray[np.float32]
"""(n, 4) x0, y0, x1, y1."""
Selection: TypeAlias = NDArray[np.bool_] | NDArray[np.intp] | slice


def _no_tracks() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """n detections of one frame, in no promised order. Treat the arrays as read-only."""

    xyxy: Boxes
    """(n, 4) float32, pixels of the frame, clipped to it."""
    scores: NDArray[np.float32]
    """(n,) float32, 0..1."""
    labels: NDArray[np.int32]
    """(n,) int32, indices into the bundle's labels."""
    tracks: NDArray[np.int64] = field(default_factory=_no_tracks)
    """(n,) int64; 0 where not tracked, which is also what leaving it out means."""

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        if not len(self.tracks):
            object.__setattr__(self, "tracks", np.zeros(n, np.int64))
        shapes = (self.xyxy.shape, self.scores.shape, self.labels.shape, self.tracks.shape)
        if shapes != ((n, 4), (n,), (n,), (n,)):
            raise ValueError(f"arrays of different lengths: {shapes}")

    @classmethod
    def empty(cls) -> "Detections":
        """Return no detections at all."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, selection: Selection) -> "Detections":
        """Return those that a mask, an array of indices or a slice picks."""
        if isinstance(selection, slice):
            places = np.arange(len(self))[selection]
        elif selection.dtype == np.bool_:
            if len(selection) != len(self):
                raise IndexError(f"a mask of {len(selection)} for {len(self)} detections")
            places = selection.nonzero()[0]
            if len(places) == len(self):
                return self
        else:
            places = selection.astype(np.intp, copy=False)
        return Detections(
            self.xyxy.take(places, axis=0),
            self.scores.take(places),
            self.labels.take(places),
            self.tracks.take(places),
        )

    def with_tracks(self, tracks: NDArray[np.int64]) -> "Detections":
        """Return the same detections, each with the track it belongs to (0: none)."""
        return replace(self, tracks=tracks.astype(np.int64, copy=False))
