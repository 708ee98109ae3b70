"""What may leave this machine of a frame: zones covered, and heads of people."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from processing.media.masking import heads, hide_all, mask
from processing.vision.detections import Boxes, Detections
from processing.vision.frame import Frame
from processing.wire.camera import Privacy, Region
from processing.wire.fields import Polygon

_PERSON: Final = "person"
_NOBODY: Final = np.empty((0, 4), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """A frame that is to be shown or stored, and what must be hidden in it first."""

    frame: Frame
    privacy: Privacy
    region: Region
    """Where the network looked: who is outside was not seen, and must not be."""
    people: Boxes | None
    """(n, 4) pixels; None where the network cannot tell people from other things."""

    def covered(self) -> Frame:
        """Return the frame as anybody may see it.

        Where faces are to be hidden and nobody can tell where people are, all of it is hidden.
        """
        if not self.privacy.is_needed:
            return self.frame
        if not self.privacy.hides_faces:
            return mask(self.frame, self.privacy.zones, _NOBODY)
        if self.people is None:
            return hide_all(self.frame)
        zones = (*self.privacy.zones, *_around(self.region))
        return mask(self.frame, zones, heads(self.people))


def people_in(found: Detections, labels: tuple[str, ...]) -> Boxes | None:
    """Return the boxes (n, 4) of all that may be people, however doubtful; None as `Exposure`."""
    if _PERSON not in labels:
        return None
    people: Boxes = found.xyxy[found.labels == labels.index(_PERSON)]
    return people


def _around(region: Region) -> Iterator[Polygon]:
    """Yield what of the picture lies outside the region: left, right, above and below of it."""
    for left, top, right, bottom in (
        (0.0, 0.0, region.left, 1.0),
        (region.right, 0.0, 1.0, 1.0),
        (0.0, 0.0, 1.0, region.top),
        (0.0, region.bottom, 1.0, 1.0),
    ):
        if left < right and top < bottom:
            yield ((left, top), (right, top), (right, bottom), (left, bottom))
