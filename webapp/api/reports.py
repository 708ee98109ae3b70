"""Saying over HTTP that something is wrong: `webapp.review` knows what becomes of it."""

import binascii
from base64 import b64decode
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, TypeVar

from django.db.models import Model
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import Role, User
from webapp.accounts.requests import actor_of
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.accounts.viewsets import OwnedRows
from webapp.common.clock import now
from webapp.common.problems import ApiProblem
from webapp.datasets.models import Sample
from webapp.events.models import Event
from webapp.fleet.models import Camera
from webapp.results.models import Result
from webapp.review.reports import (
    CannotReport,
    LivePicture,
    Outcome,
    report_event,
    report_picture,
    report_result,
)

MAX_PICTURE: Final = 900_000
"""Characters of base64."""
_CLOCKS_APART: Final = timedelta(hours=1)
_MAX_SIDE: Final = 16_384
_OF_A_PICTURE: Final = ("camera", "captured_at", "width", "height", "picture")

M = TypeVar("M", bound=Model)


class ReportSerializer(serializers.Serializer[Any]):
    """What is wrong: an event, a result, or what a camera shows just now."""

    event = serializers.UUIDField(required=False)
    result = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    camera = serializers.UUIDField(required=False)
    captured_at = serializers.DateTimeField(required=False, help_text="Of the picture.")
    width = serializers.IntegerField(required=False, min_value=1, max_value=_MAX_SIDE)
    height = serializers.IntegerField(required=False, min_value=1, max_value=_MAX_SIDE)
    picture = serializers.CharField(
        required=False, max_length=MAX_PICTURE, help_text="A JPEG, in base64."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want one thing, whole."""
        subjects = [name for name in ("event", "result", "camera") if name in attrs]
        if len(subjects) != 1:
            raise serializers.ValidationError("Name one: an event, a result, or a camera.")
        missing = [name for name in _OF_A_PICTURE if "camera" in attrs and name not in attrs]
        if missing:
            raise serializers.ValidationError({name: ["Needed with a camera."] for name in missing})
        return attrs

    def validate_picture(self, picture: str) -> bytes:
        """Return its bytes."""
        try:
            return b64decode(picture, validate=True)
        except (binascii.Error, ValueError) as error:
            raise serializers.ValidationError("Not base64.") from error

    def validate_captured_at(self, captured_at: datetime) -> datetime:
        """Refuse what cannot be what somebody sees now."""
        if abs(captured_at - now()) > _CLOCKS_APART:
            raise serializers.ValidationError("That is not now.")
        return captured_at


class ReportedSerializer(serializers.Serializer[Any]):
    """What becomes of it."""

    review = serializers.ChoiceField(
        choices=["queued", "no_picture"],
        help_text="Whether labelers look at its picture, or there is none.",
    )


class ReportViewSet(OwnedRows[Sample]):
    """What people say is wrong; labelers look at it before all else."""

    queryset = Sample.objects.none()
    needed = Role.OPERATOR
    needed_to_write = Role.OPERATOR
    serializer_class = ReportSerializer

    @extend_schema(
        request=ReportSerializer,
        responses={HTTPStatus.CREATED: ReportedSerializer},
        examples=[
            OpenApiExample(
                "An event",
                value={"event": "01928f1e-0000-7000-8000-000000000000"},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Say that an event, a result or a live picture is wrong."""
        wanted = ReportSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            review = _report(wanted.validated_data, actor_of(request))
        except CannotReport as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "cannot-report", str(error)) from error
        return Response({"review": review}, HTTPStatus.CREATED)


def _report(wanted: dict[str, Any], by: User) -> Outcome:
    at = now()
    if "event" in wanted:
        return report_event(
            _found(Event.objects.for_actor(by, Role.OPERATOR), "event", wanted), by=by, at=at
        )
    if "result" in wanted:
        return report_result(
            _found(Result.objects.for_actor(by, Role.OPERATOR), "result", wanted), by=by, at=at
        )
    return report_picture(
        _found(Camera.objects.for_actor(by, Role.OPERATOR), "camera", wanted),
        LivePicture(wanted["picture"], wanted["width"], wanted["height"], wanted["captured_at"]),
        by=by,
        at=at,
    )


def _found(rows: OwnedQuerySet[M], name: str, wanted: dict[str, Any]) -> M:
    found = rows.filter(pk=wanted[name]).first()
    if found is None:
        raise serializers.ValidationError({name: ["There is no such row."]})
    return found
