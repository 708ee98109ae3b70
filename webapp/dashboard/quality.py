"""One feature of a camera's pictures over time, for the chart, with what happened meanwhile."""

from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, get_args

from django.urls import reverse
from msgspec import Struct

from webapp.events.models import Event
from webapp.fleet.models import Camera
from webapp.monitoring.kinds import KINDS
from webapp.monitoring.models import Feature
from webapp.monitoring.series import spreads

QualitySpan: TypeAlias = Literal["1h", "24h", "7d", "90d"]
QUALITY_SPANS: Final = get_args(QualitySpan)
MAX_MARKS: Final = 100

_LENGTH_AND_STEP_S: Final[dict[QualitySpan, tuple[int, int]]] = {
    "1h": (3600, 60),
    "24h": (24 * 3600, 600),
    "7d": (7 * 86_400, 3600),
    "90d": (90 * 86_400, 86_400),
}


class Mark(Struct, frozen=True):
    """An event about the picture: from when to when, in Unix seconds; None while it goes on."""

    begins: float
    ends: float | None
    title: str
    detail: str
    address: str


class QualityBand(Struct, frozen=True):
    """What the chart draws; a value a bucket, None where nothing was measured."""

    times: list[int]
    """Unix seconds at which each bucket begins."""
    step_s: int
    p10: list[float | None]
    p50: list[float | None]
    p90: list[float | None]
    n_frames: list[int]
    marks: list[Mark]
    """Oldest first."""


def quality_band(
    camera: Camera, *, feature: Feature, span: QualitySpan, at: datetime
) -> QualityBand:
    """Return the median, and what four of five frames lie between, a bucket of the span."""
    length_s, step_s = _LENGTH_AND_STEP_S[span]
    end_s = int(at.timestamp()) // step_s * step_s + step_s
    times = list(range(end_s - length_s, end_s, step_s))
    start, end = (datetime.fromtimestamp(second, UTC) for second in (times[0], end_s))
    cameras = Camera.objects.filter(pk=camera.pk)
    found = {
        int(spread.bucket_at.timestamp()): spread
        for spread in spreads(cameras, (feature,), step_s=step_s, start=start, end=end)
    }
    here = [found.get(time) for time in times]
    return QualityBand(
        times=times,
        step_s=step_s,
        p10=[_digits(each.p10) if each else None for each in here],
        p50=[_digits(each.p50) if each else None for each in here],
        p90=[_digits(each.p90) if each else None for each in here],
        n_frames=[each.n_frames if each else 0 for each in here],
        marks=_marks(camera, since=start),
    )


def _digits(value: float) -> float:
    """Return as many digits as a chart can show."""
    return float(f"{value:.4g}")


def _marks(camera: Camera, *, since: datetime) -> list[Mark]:
    of_pictures = Event.objects.filter(camera=camera, kind__in=(*KINDS, "tampered"))
    there = of_pictures.exclude(ended_at__lt=since).exclude(state="once", occurred_at__lt=since)
    newest = sorted(there.order_by("-occurred_at")[:MAX_MARKS], key=lambda each: each.occurred_at)
    return [
        Mark(
            begins=event.occurred_at.timestamp(),
            ends=_end(event),
            title=event.title,
            detail=event.detail,
            address=reverse("event_page", args=[event.pk]),
        )
        for event in newest
    ]


def _end(event: Event) -> float | None:
    if event.state == Event.State.RUNNING:
        return None
    return (event.ended_at or event.occurred_at).timestamp()
