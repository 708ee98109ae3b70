"""Every condition and what looks for it. A new one is a file beside this and a case here."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from processing.rules.conditions.condition import Lasting, Momentary
from processing.rules.conditions.crossed import CrossedWatch
from processing.rules.conditions.crowded import CrowdedWatch
from processing.rules.conditions.heading import HeadingWatch
from processing.rules.conditions.in_zone import InZoneWatch
from processing.rules.conditions.left_behind import LeftBehindWatch
from processing.rules.conditions.tampered import TamperedWatch
from processing.wire.scene import (
    Condition,
    Crossed,
    Crowded,
    Heading,
    InZone,
    LeftBehind,
    Line,
    Scene,
    Tampered,
    Zone,
)


def place_of(condition: Condition, scene: Scene) -> Zone | Line | None:
    """Return the zone or line that a condition is about; None if it is not there, or needs none."""
    match condition:
        case Crossed(line_id=line_id):
            return next((line for line in scene.lines if line.line_id == line_id), None)
        case Tampered():
            return None
        case _:
            return _zone(scene, condition.zone_id)


def momentary_for(condition: Condition, scene: Scene) -> Callable[[], Momentary] | None:
    """Return what begins to look for a condition that comes true for a moment, if this is one.

    None also where its line is not in the scene: it is never true.
    """
    match condition, place_of(condition, scene):
        case Crossed() as crossed, Line() as line:
            return partial(CrossedWatch, crossed, line)
    return None


def lasting_for(
    condition: Condition, scene: Scene, *, camera_name: str
) -> Callable[[], Lasting] | None:
    """Return what begins to look for a condition that lasts, if this is one.

    None also where its zone is not in the scene: it is never true.
    """
    match condition, place_of(condition, scene):
        case Tampered() as tampered, _:
            return partial(TamperedWatch, tampered, camera_name)
        case InZone() as in_zone, Zone() as zone:
            return partial(InZoneWatch, in_zone, zone)
        case Crowded() as crowded, Zone() as zone:
            return partial(CrowdedWatch, crowded, zone)
        case Heading() as heading, Zone() as zone:
            return partial(HeadingWatch, heading, zone)
        case LeftBehind() as left_behind, Zone() as zone:
            return partial(LeftBehindWatch, left_behind, zone)
    return None


def _zone(scene: Scene, zone_id: UUID) -> Zone | None:
    return next((zone for zone in scene.zones if zone.zone_id == zone_id), None)
