"""What people were told about, over HTTP: its pictures and clips, and what people did about it."""

from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from processing.wire.limits import MAX_NAME, MAX_TEXT
from webapp.accounts.models import Role
from webapp.accounts.requests import actor_of
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.common.pagination import NewestOccurrenceFirst
from webapp.common.problems import ApiProblem
from webapp.events.actions import (
    MAX_AT_ONCE,
    BadComment,
    TooManyComments,
    acknowledge,
    ask_for_clips,
    comment,
    take_back_acknowledgement,
)
from webapp.events.models import Clip, Deed, Event
from webapp.events.queries import label_in_text, with_labels_text

_N_DEEDS = 500


class ClipSerializer(serializers.ModelSerializer[Clip]):
    """A video of an event: on its agent, on its way, here or gone."""

    file = serializers.SerializerMethodField(help_text="Where it is, once it is here.")

    class Meta:
        model = Clip
        fields = ("id", "begins_at", "seconds", "n_bytes", "state", "reason", "asked_at", "file")

    def get_file(self, clip: Clip) -> str | None:
        return reverse("event_clip", args=[clip.pk]) if clip.blob_id else None


class DeedSerializer(serializers.ModelSerializer[Deed]):
    """What a person did about an event, or said of it."""

    by = serializers.CharField(source="by.username", default=None, read_only=True)

    class Meta:
        model = Deed
        fields = ("id", "kind", "by", "done_at", "text")
        read_only_fields = fields


class CommentSerializer(serializers.Serializer[Any]):
    """What somebody says of an event."""

    text = serializers.CharField(max_length=MAX_TEXT)


class EventIdsSerializer(serializers.Serializer[Any]):
    """Several events."""

    events = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MAX_AT_ONCE
    )


class HowManySerializer(serializers.Serializer[Any]):
    """Of how many events that is new."""

    n_events = serializers.IntegerField()


class EventSerializer(serializers.ModelSerializer[Event]):
    """One thing that happened; `occurred_at` is when it began."""

    rule = serializers.UUIDField(
        source="rule_id", allow_null=True, help_text="Of the camera's scene; it may be gone by now."
    )
    labels = serializers.ListField(child=serializers.CharField())
    tracks = serializers.ListField(child=serializers.IntegerField())
    thumbnail = serializers.SerializerMethodField(help_text="Its best picture so far.")
    clips = ClipSerializer(many=True)
    acknowledged_by = serializers.CharField(
        source="acknowledged_by.username", default=None, read_only=True
    )
    false_alarm_by = serializers.CharField(
        source="false_alarm_by.username", default=None, read_only=True
    )

    class Meta:
        model = Event
        fields = (
            "id",
            "kind",
            "severity",
            "title",
            "detail",
            "agent",
            "camera",
            "rule",
            "state",
            "occurred_at",
            "ended_at",
            "received_at",
            "labels",
            "tracks",
            "n_updates",
            "thumbnail",
            "clips",
            "acknowledged_at",
            "acknowledged_by",
            "false_alarm_at",
            "false_alarm_by",
        )

    def get_thumbnail(self, event: Event) -> str | None:
        return reverse("event_thumbnail", args=[event.pk]) if event.thumbnail_id else None


class IsAbsent(serializers.BooleanField):
    """Reads whether something is there; gives whether it is not, for `isnull`."""

    def to_internal_value(self, data: Any) -> bool:
        return not super().to_internal_value(data)


class LabelInText(serializers.CharField):
    """Reads a class; gives it as it stands in the text of a list."""

    def to_internal_value(self, data: Any) -> str:
        return label_in_text(str(super().to_internal_value(data)))


class EventViewSet(OwnedViewSet[Event]):
    """What happened, newest first."""

    queryset = Event.objects.prefetch_related("clips").select_related(
        "acknowledged_by", "false_alarm_by"
    )
    serializer_class = EventSerializer
    pagination_class = NewestOccurrenceFirst
    needed = Role.OPERATOR
    needed_to_write = Role.OPERATOR
    filters: ClassVar = {
        "agent": Allowed.id_of("agent", "agent"),
        "camera": Allowed.id_of("camera", "camera"),
        "severity": Allowed.one_of("severity", Event.Severity.choices),
        "kind": Allowed("kind", serializers.CharField(max_length=MAX_NAME), "Only of this kind."),
        "rule": Allowed.id_of("rule_id", "rule"),
        "state": Allowed.one_of("state", Event.State.choices),
        "label": Allowed(
            "labels_text__contains",
            LabelInText(max_length=MAX_NAME),
            "Only with a thing of this class.",
        ),
        "acknowledged": Allowed(
            "acknowledged_at__isnull", IsAbsent(), "Only what somebody took note of, or nobody."
        ),
        "false_alarm": Allowed(
            "false_alarm_at__isnull", IsAbsent(), "Only false alarms, or only what is none."
        ),
        "from": Allowed.since("occurred_at"),
        "to": Allowed.until("occurred_at"),
    }

    def get_queryset(self) -> OwnedQuerySet[Event]:
        return cast("OwnedQuerySet[Event]", with_labels_text(super().get_queryset()))

    @extend_schema(request=None, responses={HTTPStatus.ACCEPTED: EventSerializer})
    @action(detail=True, methods=["post"], url_path="ask-clips")
    def ask_clips(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Have the agent send the event's clips. They are `here` once they have come."""
        event = self.get_object()
        if not ask_for_clips(Clip.objects.filter(event=event), by=actor_of(request), at=now()):
            words = "No clip of this event is left on its agent."
            raise ApiProblem(HTTPStatus.CONFLICT, "no-clip", words)
        fresh = self.get_queryset().get(pk=event.pk)
        return Response(self.get_serializer(fresh).data, HTTPStatus.ACCEPTED)

    @extend_schema(request=None, responses=EventSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Take note of an event; again is nothing."""
        event = self.get_object()
        acknowledge(Event.objects.filter(pk=event.pk), by=actor_of(request), at=now())
        return self.answer(pk)

    @extend_schema(request=None, responses=EventSerializer)
    @action(detail=True, methods=["post"])
    def unacknowledge(self, request: Request, pk: str) -> Response:
        """Have an event looked at again."""
        event = self.get_object()
        take_back_acknowledgement(Event.objects.filter(pk=event.pk), by=actor_of(request), at=now())
        return self.answer(pk)

    @extend_schema(
        request=EventIdsSerializer,
        responses=HowManySerializer,
        operation_id="events_acknowledge_many",
    )
    @action(detail=False, methods=["post"], url_path="acknowledge", url_name="acknowledge-many")
    def acknowledge_many(self, request: Request) -> Response:
        """Take note of many events; those that are not there, or not for you, are passed over."""
        given = EventIdsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        events = self.get_queryset().filter(pk__in=given.validated_data["events"])
        n_events = acknowledge(events, by=actor_of(request), at=now())
        return Response({"n_events": n_events})

    @extend_schema(responses=DeedSerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=())
    def deeds(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """List what people did about the event and said of it, oldest first; the newest 500."""
        newest = Deed.objects.filter(event=self.get_object()).select_related("by")
        found = list(newest.order_by("-done_at", "-id")[:_N_DEEDS])[::-1]
        return Response(DeedSerializer(found, many=True).data)

    @extend_schema(request=CommentSerializer, responses={HTTPStatus.CREATED: DeedSerializer})
    @action(detail=True, methods=["post"])
    def comments(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Say something about the event."""
        event = self.get_object()
        given = CommentSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            deed = comment(event, by=actor_of(request), text=given.validated_data["text"], at=now())
        except BadComment as error:
            raise serializers.ValidationError({"text": [str(error)]}) from error
        except TooManyComments as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-comments", str(error)) from error
        return Response(DeedSerializer(deed).data, HTTPStatus.CREATED)

    def answer(self, pk: str) -> Response:
        """Return the event as it is now."""
        return Response(self.get_serializer(self.get_queryset().get(pk=pk)).data)
