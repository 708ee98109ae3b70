"""What somebody looks for in results: a class, a zone, or a class in a zone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from processing.wire.fields import Polygon
from processing.wire.packed import PackedDetection, count_labels, unpack
from processing.wire.scene import Scene
from webapp.fleet.models import Bundle, Camera
from webapp.results.models import Result

_RIM: Final = 1e-4
"""Feet on the rim of the picture count as just inside it, as the agents have it."""


def class_name(bundle: Bundle, number: int) -> str:
    """Return the class's name; one that the bundle does not know keeps its number."""
    labels: list[str] = bundle.labels
    return labels[number] if number < len(labels) else f"class {number}"


class NoSuchZone(ValueError):
    """No camera has this zone now."""


@dataclass(frozen=True)
class Sought:
    """Detections of this class with their feet in this zone; where none is said, of any."""

    label: str | None = None
    zones: Mapping[UUID, Polygon] | None = None
    """By camera, as they are drawn now."""
    _numbers: dict[UUID, frozenset[int]] = field(default_factory=dict, compare=False)
    """Of the class, by bundle."""

    @classmethod
    def of(cls, cameras: QuerySet[Camera], *, label: str | None, zone_id: UUID | None) -> "Sought":
        """Return what is meant; raise `NoSuchZone`."""
        if zone_id is None:
            return cls(label)
        drawn = cameras.annotate(drawn=Cast("scene", TextField()))
        zones = {
            camera.pk: zone.polygon
            for camera in drawn.filter(drawn__contains=str(zone_id))
            for zone in msgspec.convert(camera.scene, Scene).zones
            if zone.zone_id == zone_id
        }
        if not zones:
            raise NoSuchZone(str(zone_id))
        return cls(label, zones)

    def detections_of(self, result: Result) -> Iterator[PackedDetection]:
        """Yield what a result has of it."""
        packed = bytes(result.detections)
        if self.label is not None and self.numbers_in(result.bundle).isdisjoint(
            count_labels(packed)
        ):
            return  # most frames have nothing of a rare class, and this is cheap to see
        for found in unpack(packed):
            if self._is_meant(found, result):
                yield found

    def is_in(self, result: Result) -> bool:
        return next(self.detections_of(result), None) is not None

    def numbers_in(self, bundle: Bundle) -> frozenset[int]:
        """Return which of a bundle's classes are called so; as for counts, `class 7` may be one."""
        if bundle.pk not in self._numbers:
            labels: list[str] = bundle.labels
            numbers = {number for number, name in enumerate(labels) if name == self.label}
            word, _, number = (self.label or "").partition(" ")
            if word == "class" and number.isdecimal() and int(number) >= len(labels):
                numbers.add(int(number))
            self._numbers[bundle.pk] = frozenset(numbers)
        return self._numbers[bundle.pk]

    def _is_meant(self, found: PackedDetection, result: Result) -> bool:
        if self.label is not None and found.label not in self.numbers_in(result.bundle):
            return False
        if self.zones is None:
            return True
        polygon = self.zones.get(result.camera_id)
        return polygon is not None and is_inside(polygon, (found.x0 + found.x1) / 2, found.y1)


def is_inside(polygon: Polygon, x: float, y: float) -> bool:
    """Return whether a foot is in a zone: an odd number of edges is to the right of it.

    The same as in `processing.rules.polygon`, for one point and without numpy.
    """
    x, y = min(max(x, _RIM), 1.0 - _RIM), min(max(y, _RIM), 1.0 - _RIM)
    is_odd = False
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (ay > y) != (by > y):
            rise = by - ay
            is_left_of = (x - ax) * abs(rise) < (y - ay) * (bx - ax) * (1 if rise > 0 else -1)
            is_odd ^= is_left_of
    return is_odd
