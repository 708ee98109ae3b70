"""The figures of a camera's charts, as JSON."""

from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.dashboard.counts import Measure, Span, label_counts
from webapp.dashboard.overflow import OverflowSpan, overflow_chart
from webapp.dashboard.quality import QualitySpan, quality_band
from webapp.fleet.models import Camera
from webapp.monitoring.models import Feature

Query = TypeVar("Query", bound=msgspec.Struct)


class _CountsQuery(msgspec.Struct, frozen=True):
    span: Span = "1h"
    measure: Measure = "seen"
    zone: UUID | None = None


class _QualityQuery(msgspec.Struct, frozen=True):
    span: QualitySpan = "1h"
    feature: Feature = "sharpness"


class _OverflowQuery(msgspec.Struct, frozen=True):
    span: OverflowSpan = "24h"


@require_safe
@requires(Role.OPERATOR)
def counts(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Answer with counts per class over time: `?span=1h|24h|7d|30d|90d&measure=seen|peak&zone=..`.

    Of a zone only `seen` is counted.
    """
    shown = _camera(request, camera_id)
    try:
        wanted = _read(request, _CountsQuery)
    except msgspec.ValidationError as error:
        return _refused(error)
    if wanted.zone is not None and wanted.measure != "seen":
        return _problem("measure", "Of a zone only `seen` is counted.")
    counts = label_counts(
        shown, span=wanted.span, measure=wanted.measure, zone_id=wanted.zone, at=now()
    )
    return _json(counts)


@require_safe
@requires(Role.OPERATOR)
def quality(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Answer with what pictures are like over time: `?span=1h|24h|7d|90d&feature=..`."""
    shown = _camera(request, camera_id)
    try:
        wanted = _read(request, _QualityQuery)
    except msgspec.ValidationError as error:
        return _refused(error)
    return _json(quality_band(shown, feature=wanted.feature, span=wanted.span, at=now()))


@require_safe
@requires(Role.OPERATOR)
def overflow(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Answer with where frames were judged, and what it cost, over time: `?span=24h|7d|30d`."""
    shown = _camera(request, camera_id)
    try:
        wanted = _read(request, _OverflowQuery)
    except msgspec.ValidationError as error:
        return _refused(error)
    return _json(overflow_chart(shown, span=wanted.span, at=now()))


def _camera(request: HttpRequest, camera_id: UUID) -> Camera:
    return get_object_or_404(
        Camera.objects.for_actor(actor_of(request), Role.OPERATOR), pk=camera_id
    )


def _read(request: HttpRequest, kind: type[Query]) -> Query:
    return msgspec.convert(request.GET.dict(), kind)


def _refused(error: msgspec.ValidationError) -> HttpResponse:
    """Answer with the field, its path at the end of msgspec's words."""
    words, _, field = str(error).partition(" - at `$.")
    return _problem(field.rstrip("`") or "query", words)


def _problem(field: str, words: str) -> HttpResponse:
    problem = {
        "title": "This cannot be answered",
        "status": HTTPStatus.BAD_REQUEST,
        "errors": {field: [words]},
    }
    answer = _json(problem, status=HTTPStatus.BAD_REQUEST)
    answer["Content-Type"] = "application/problem+json"
    return answer


def _json(content: object, *, status: int = HTTPStatus.OK) -> HttpResponse:
    response = HttpResponse(
        msgspec.json.encode(content), status=status, content_type="application/json"
    )
    response["Cache-Control"] = "no-store"
    return response
