"""Known answers and labelers who went bad, over HTTP: for admins."""

from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from processing.wire.limits import MAX_TEXT
from webapp.accounts.models import Role
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.fleet.api import OwnRelatedField
from webapp.review.api.problems import in_words
from webapp.review.flagging import close_flag
from webapp.review.gold import make_gold, retire_gold
from webapp.review.models import GoldAnswer, LabelerFlag, ReviewItem
from webapp.review.reverting import revert_work


class GoldAnswerSerializer(serializers.ModelSerializer[GoldAnswer]):
    item = OwnRelatedField(queryset=ReviewItem.objects.all())
    note = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True)
    by = serializers.CharField(source="by.username", default=None, read_only=True)

    class Meta:
        model = GoldAnswer
        fields = ("id", "item", "annotation", "note", "by", "created_at", "retired_at")
        read_only_fields = ("annotation", "created_at", "retired_at")


class LabelerFlagSerializer(serializers.ModelSerializer[LabelerFlag]):
    labeler_name = serializers.CharField(source="labeler.username", read_only=True)
    closed_by = serializers.CharField(source="closed_by.username", default=None)

    class Meta:
        model = LabelerFlag
        fields = (
            "id",
            "queue",
            "labeler",
            "labeler_name",
            "raised_at",
            "n_judged",
            "mean_error",
            "closed_at",
            "closed_by",
        )


class SinceSerializer(serializers.Serializer[Any]):
    """Which work."""

    since = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Decided from then on; empty: all."
    )


class GoldAnswerViewSet(OwnedViewSet[GoldAnswer]):
    """Known answers: decided items that labelers are shown again, without knowing."""

    queryset = GoldAnswer.objects.select_related("by")
    serializer_class = GoldAnswerSerializer
    needed = Role.ADMIN
    filters: ClassVar = {"queue": Allowed.id_of("item__queue", "queue")}

    def create(self, request: Request) -> Response:
        """Let what was decided about an item be a known answer."""
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        fields = wanted.validated_data
        with in_words():
            answer = make_gold(
                item=fields["item"], note=fields.get("note", ""), by=actor_of(request), at=now()
            )
        return Response(self.get_serializer(answer).data, HTTPStatus.CREATED)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Show it to nobody new."""
        answer = self.get_object()
        retire_gold(answer, at=now())
        answer.refresh_from_db()
        return Response(self.get_serializer(answer).data)


class LabelerFlagViewSet(OwnedViewSet[LabelerFlag]):
    """Labelers whose work proved worse than their queue tolerates."""

    queryset = LabelerFlag.objects.select_related("labeler", "closed_by", "queue")
    serializer_class = LabelerFlagSerializer
    needed = Role.ADMIN
    filters: ClassVar = {
        "queue": Allowed.id_of("queue", "queue"),
        "labeler": Allowed.id_of("labeler", "labeler"),
    }

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Say that it has been dealt with; what is judged from now on counts anew."""
        flag = self.get_object()
        close_flag(flag, by=actor_of(request), at=now())
        flag.refresh_from_db()
        return Response(self.get_serializer(flag).data)

    @extend_schema(request=SinceSerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def revert(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Undo what the labeler decided in the queue, and have others decide it.

        What was checked, or what all labelers of an item agreed on, stays.
        """
        flag = self.get_object()
        wanted = SinceSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        reverted = revert_work(
            queue=flag.queue,
            labeler=flag.labeler,
            since=wanted.validated_data["since"],
            by=actor_of(request),
            at=now(),
        )
        return Response(msgspec.to_builtins(reverted))
