"""Minutes as the writer would have left them, for tests of what reads them."""

from datetime import datetime
from uuid import UUID

from webapp.fleet.models import Bundle, Camera
from webapp.results.models import CameraMinute, LabelMinute, ZoneMinute


def see(
    camera: Camera, bundle: Bundle, label: int, at: datetime, *, n: int = 1, peak: int = 1
) -> None:
    """Have a class seen in the minute that begins at `at`."""
    place = {"camera": camera, "bundle": bundle, "label": label}
    figures = {"n_detections": n, "n_tracks": n, "peak": peak, "organization": camera.organization}
    LabelMinute.objects.create(minute_at=at, **place, **figures)


def enter(
    camera: Camera, bundle: Bundle, zone_id: UUID, label: int, at: datetime, *, n: int = 1
) -> None:
    """Have a class come into a zone in the minute that begins at `at`."""
    place = {"camera": camera, "bundle": bundle, "zone_id": zone_id, "label": label}
    figures = {"n_tracks": n, "organization": camera.organization}
    ZoneMinute.objects.create(minute_at=at, **place, **figures)


def watch(camera: Camera, at: datetime, *, n_results: int = 600) -> None:
    """Have results of the minute that begins at `at`."""
    owned = {"camera": camera, "organization": camera.organization}
    CameraMinute.objects.create(minute_at=at, n_results=n_results, **owned)
