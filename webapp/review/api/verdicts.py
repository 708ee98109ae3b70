"""Verdicts over HTTP: what labelers decided, once others may know it."""

from typing import ClassVar
from uuid import UUID

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import Role
from webapp.accounts.queries import organizations_where
from webapp.accounts.requests import actor_of
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.review.actions import undo_verdict
from webapp.review.api.problems import in_words
from webapp.review.models import Check, ReviewItem, Verdict
from webapp.review.offers import is_gold_hidden


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    by = serializers.CharField(source="by.username", default=None)
    findings = serializers.JSONField(help_text="What was right and wrong of the predictions.")

    class Meta:
        model = Verdict
        fields = (
            "id",
            "item",
            "by",
            "outcome",
            "annotation",
            "findings",
            "created_at",
            "seconds",
            "agreement",
            "error",
            "judged_at",
            "undone_at",
            "undone_as",
        )


class CheckSerializer(serializers.ModelSerializer[Check]):
    by = serializers.CharField(source="by.username", default=None)
    item = serializers.UUIDField(source="verdict.item_id")
    findings = serializers.JSONField(
        help_text="Where it was settled: what was right and wrong of the predictions."
    )

    class Meta:
        model = Check
        fields = (
            "id",
            "verdict",
            "item",
            "by",
            "decision",
            "reasons",
            "comment",
            "findings",
            "created_at",
        )


class VerdictViewSet(OwnedViewSet[Verdict]):
    """What labelers decided; undone ones have `undone_at`.

    Nobody sees another's verdict on an item that is still open, nor an answer to a known answer;
    what led to a known answer, admins alone.
    """

    queryset = Verdict.objects.select_related("by")
    serializer_class = VerdictSerializer
    needed = Role.LABELER
    needed_to_write = Role.LABELER
    filters: ClassVar = {
        "item": Allowed.id_of("item", "item"),
        "queue": Allowed.id_of("item__queue", "queue"),
        "labeler": Allowed.id_of("by", "labeler"),
        "outcome": Allowed.one_of("outcome", Verdict.Outcome.choices),
        "from": Allowed.since("created_at"),
        "to": Allowed.until("created_at"),
    }

    def get_queryset(self) -> OwnedQuerySet[Verdict]:
        verdicts = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return verdicts
        actor = actor_of(self.request)
        administered = Q(organization__in=organizations_where(actor, Role.ADMIN))
        is_over = Q(is_gold=False) & ~Q(item__state=ReviewItem.State.OPEN)
        return verdicts.filter(Q(by=actor) | is_over & (administered | ~is_gold_hidden()))

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Take back one's own verdict, while nobody has built upon it."""
        verdict, actor = self.get_object(), actor_of(request)
        if verdict.by_id != actor.pk:
            raise NotFound
        with in_words():
            undo_verdict(verdict=verdict, by=actor, at=now())
        verdict.refresh_from_db()
        return Response(self.get_serializer(verdict).data)


class CheckViewSet(OwnedViewSet[Check]):
    """What checkers said: of one's own work, and by oneself; admins see all."""

    queryset = Check.objects.select_related("by", "verdict")
    serializer_class = CheckSerializer
    needed = Role.LABELER
    filters: ClassVar = {
        "item": Allowed.id_of("verdict__item", "item"),
        "labeler": Allowed.id_of("verdict__by", "labeler"),
        "decision": Allowed.one_of("decision", Check.Decision.choices),
    }

    def get_queryset(self) -> OwnedQuerySet[Check]:
        checks = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return checks
        actor = actor_of(self.request)
        administered = Check.objects.for_actor(actor, Role.ADMIN).values("pk")
        return checks.filter(Q(verdict__by=actor) | Q(by=actor) | Q(pk__in=administered))
