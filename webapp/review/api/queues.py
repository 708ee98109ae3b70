"""Queues and teams over HTTP, and the next piece of work."""

from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import CreateModelMixin, DestroyModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import Role, User
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.fleet.api import OwnRelatedField, WishField
from webapp.review.actions import claim_next, prepare_next
from webapp.review.api.problems import in_words
from webapp.review.checking import claim_check
from webapp.review.exchange import NextRequest, read_parsed
from webapp.review.models import ReviewItem, ReviewQueue, Team
from webapp.review.organizing import save_queue, save_team
from webapp.review.outlook import outlook
from webapp.review.policies import SelectionPolicy
from webapp.review.queries import (
    checkers_queues,
    item_for_editor,
    labelers_queues,
    queue_status,
)
from webapp.review.standing import class_agreement, standings

QUALITY_OF: Final = timedelta(days=30)
MAX_MEMBERS: Final = 500


class TeamSerializer(serializers.ModelSerializer[Team]):
    organization = serializers.UUIDField(
        source="organization_id",
        required=False,
        help_text="Needed by who is in several organizations.",
    )
    members = serializers.PrimaryKeyRelatedField(
        queryset=User.objects.all(), many=True, required=False
    )

    class Meta:
        model = Team
        fields = ("id", "organization", "name", "members")
        validators: ClassVar[list[object]] = []  # the action says whether a name is free

    def validate_members(self, members: list[User]) -> list[User]:
        if len(members) > MAX_MEMBERS:
            raise serializers.ValidationError(f"At most {MAX_MEMBERS}.")
        return members


class ReviewQueueSerializer(serializers.ModelSerializer[ReviewQueue]):
    organization = serializers.UUIDField(
        source="organization_id",
        required=False,
        help_text="Needed by who is in several organizations.",
    )
    labelers = OwnRelatedField(queryset=Team.objects.all(), allow_null=True, required=False)
    checkers = OwnRelatedField(queryset=Team.objects.all(), allow_null=True, required=False)
    policy = WishField(
        SelectionPolicy, required=False, help_text="What labelers are asked about, and how often."
    )

    class Meta:
        model = ReviewQueue
        fields = (
            "id",
            "organization",
            "name",
            "policy",
            "labelers",
            "checkers",
            "n_labelers",
            "agreement_iou",
            "checked_share",
            "gold_share",
            "tolerated_error",
            "due_after_s",
        )
        validators: ClassVar[list[object]] = []  # the action says whether a name is free


class TeamViewSet(CreateModelMixin, DestroyModelMixin, OwnedViewSet[Team]):
    """People who share work."""

    queryset = Team.objects.prefetch_related("members")
    serializer_class = TeamSerializer
    needed = Role.LABELER

    def perform_create(self, serializer: serializers.BaseSerializer[Team]) -> None:
        fields = dict(serializer.validated_data)
        organization = chosen_organization(
            actor_of(self.request),
            Role.ADMIN,
            organization_id=fields.pop("organization_id", None),
        )
        serializer.instance = save_team(Team(organization=organization), **fields)

    @extend_schema(operation_id="teams_update")
    def partial_update(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Rename a team, or say who is in it."""
        team = self.get_object()
        serializer = self.get_serializer(team, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        fields.pop("organization_id", None)
        return Response(self.get_serializer(save_team(team, **fields)).data)


class ReviewQueueViewSet(CreateModelMixin, OwnedViewSet[ReviewQueue]):
    """Piles of items: who works on one, how many decide each item, how it is checked."""

    queryset = ReviewQueue.objects.select_related("organization", "labelers", "checkers")
    serializer_class = ReviewQueueSerializer
    needed = Role.LABELER

    @property
    def needed_now(self) -> Role | None:
        is_work = self.action in {"next", "next_check"}
        return Role.LABELER if is_work else super().needed_now

    def get_queryset(self) -> OwnedQuerySet[ReviewQueue]:
        queues = super().get_queryset()
        if self.action == "next":
            return queues.filter(pk__in=labelers_queues(actor_of(self.request)).values("pk"))
        return queues

    def perform_create(self, serializer: serializers.BaseSerializer[ReviewQueue]) -> None:
        fields = dict(serializer.validated_data)
        organization = chosen_organization(
            actor_of(self.request),
            Role.ADMIN,
            organization_id=fields.pop("organization_id", None),
        )
        queue = ReviewQueue(organization=organization)
        serializer.instance = save_queue(queue, at=now(), **fields)

    @extend_schema(operation_id="review_queues_update")
    def partial_update(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Change how a queue works; items that are open keep their number of labelers."""
        queue = self.get_object()
        serializer = self.get_serializer(queue, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        fields.pop("organization_id", None)
        return Response(self.get_serializer(save_queue(queue, at=now(), **fields)).data)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def next(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Claim the next item, or with `besides` prepare the one after those in hand.

        `item` is null when there is none; `outlook` then says when more comes.
        """
        queue, actor, at = self.get_object(), actor_of(request), now()
        with in_words():
            besides = read_parsed(request.data, NextRequest).besides
        item = (
            prepare_next(queue=queue, by=actor, besides=besides, at=at)
            if besides
            else claim_next(queue=queue, by=actor, at=at)
        )
        return self._given(item, queue, actor)

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path="next-check")
    def next_check(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Claim the next item to be checked: disagreements first. Its `check` has the works."""
        queue, actor = self.get_object(), actor_of(request)
        return self._given(claim_check(queue=queue, by=actor, at=now()), queue, actor)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def quality(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Return the standing of each labeler of late, and how far they agree about each class.

        Checkers see everybody, a labeler their own standing.
        """
        queue, actor = self.get_object(), actor_of(request)
        found = standings(queue, since=now() - QUALITY_OF)
        is_checker = checkers_queues(actor).filter(pk=queue.pk).exists()
        told: dict[str, Any] = {
            "labelers": [each for each in found if is_checker or each.labeler == actor.pk],
            "classes": class_agreement(queue) if is_checker else [],
        }
        return Response(msgspec.to_builtins(told))

    def _given(self, item: ReviewItem | None, queue: ReviewQueue, actor: User) -> Response:
        at = now()
        if item is not None:
            item = ReviewItem.objects.select_related("sample__bundle", "sample__camera").get(
                pk=item.pk
            )
        told = {
            "item": None if item is None else item_for_editor(item, by=actor, at=at),
            "status": queue_status([queue], by=actor, at=at),
            "outlook": outlook(actor, at=at) if item is None else None,
        }
        return Response(msgspec.to_builtins(told))
