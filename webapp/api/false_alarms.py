"""False alarms over HTTP: `webapp.review` knows what becomes of them, so it is said up here."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.problems import ApiProblem
from webapp.events.api import EventSerializer, EventViewSet
from webapp.review.false_alarms import NoCamera, mark_false_alarm, unmark_false_alarm


class FalseAlarmSerializer(serializers.Serializer[Any]):
    """What became of an event that was none."""

    event = EventSerializer()
    review = serializers.ChoiceField(
        choices=["queued", "no_picture", "known"],
        help_text="Whether its picture goes to labelers; `known`: it was marked before.",
    )


class JudgedEventViewSet(EventViewSet):
    """What happened, newest first."""

    @extend_schema(request=None, responses=FalseAlarmSerializer)
    @action(detail=True, methods=["post"], url_path="false-alarm")
    def false_alarm(self, request: Request, pk: str) -> Response:
        """Mark an event as a false alarm: it is acknowledged, its picture goes to labelers."""
        try:
            review = mark_false_alarm(self.get_object(), by=actor_of(request), at=now())
        except NoCamera as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "no-camera", str(error)) from error
        return Response({"event": self.answer(pk).data, "review": review})

    @extend_schema(request=None, responses=EventSerializer)
    @action(detail=True, methods=["post"], url_path="not-false-alarm")
    def not_false_alarm(self, request: Request, pk: str) -> Response:
        """Say that it was no false alarm after all."""
        unmark_false_alarm(self.get_object(), by=actor_of(request), at=now())
        return self.answer(pk)
