"""Items over HTTP: to look through, to assign, to decide and to check."""

from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from django.db.models import Case, Exists, F, OuterRef, Value, When
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import Role, User
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.fleet.api import OwnRelatedField
from webapp.review.actions import (
    release_item,
    renew_lease,
    skip_item,
    start_item,
    submit_verdict,
)
from webapp.review.api.problems import in_words
from webapp.review.api.verdicts import VerdictSerializer
from webapp.review.check_requests import CheckRequest, decide_check
from webapp.review.checking import check_for_page
from webapp.review.exchange import (
    SaveRequest,
    SkipRequest,
    read_parsed,
)
from webapp.review.models import GoldAnswer, ReviewItem, Team
from webapp.review.organizing import assign_item
from webapp.review.queries import boxes_of, item_for_editor

_FOR_LABELERS: Final = frozenset({"start", "renew", "release", "verdict", "skip", "decide_check"})


class ReviewItemSerializer(serializers.ModelSerializer[ReviewItem]):
    """A sample to be looked at. One with a known answer looks as if it were open."""

    assignee = serializers.PrimaryKeyRelatedField(
        queryset=User.objects.all(), allow_null=True, required=False
    )
    team = OwnRelatedField(queryset=Team.objects.all(), allow_null=True, required=False)

    class Meta:
        model = ReviewItem
        fields = (
            "id",
            "queue",
            "sample",
            "state",
            "reason",
            "figure",
            "why",
            "priority",
            "due_at",
            "assignee",
            "team",
            "n_labelers",
            "n_decided",
            "agreement",
            "is_returned",
            "created_at",
            "revision",
        )
        read_only_fields = (
            "queue", "sample", "state", "reason", "figure", "why", "n_labelers", "n_decided",
            "agreement", "created_at", "revision",
        )  # fmt: skip

    def to_representation(self, instance: ReviewItem) -> dict[str, Any]:
        told = super().to_representation(instance)
        if getattr(instance, "is_gold", False):
            told |= {"state": ReviewItem.State.OPEN, "n_decided": 0, "agreement": None}
        return told

    def validate_is_returned(self, is_returned: bool) -> bool:  # noqa: FBT001 - DRF's signature
        if is_returned:
            raise serializers.ValidationError("Send it back by checking it.")
        return is_returned

    def validate_priority(self, priority: float) -> float:
        if not abs(priority) <= MAX_PRIORITY:
            raise serializers.ValidationError(f"Between {-MAX_PRIORITY:g} and {MAX_PRIORITY:g}.")
        return priority


MAX_PRIORITY: Final = 1000.0


class ReviewItemViewSet(OwnedViewSet[ReviewItem]):
    """Samples to be looked at."""

    queryset = ReviewItem.objects.select_related(
        "queue", "sample__bundle", "sample__camera"
    ).annotate(
        is_gold=Exists(GoldAnswer.objects.filter(item=OuterRef("pk"), retired_at=None)),
        shown_state=Case(When(is_gold=True, then=Value("open")), default=F("state")),
    )
    serializer_class = ReviewItemSerializer
    needed = Role.LABELER
    filters: ClassVar = {
        "queue": Allowed.id_of("queue", "queue"),
        "sample": Allowed.id_of("sample", "sample"),
        "state": Allowed.one_of("shown_state", ReviewItem.State.choices),
        "assignee": Allowed.id_of("assignee", "person"),
        "team": Allowed.id_of("team", "team"),
    }

    @property
    def needed_now(self) -> Role | None:
        return Role.LABELER if self.action in _FOR_LABELERS else super().needed_now

    @extend_schema(operation_id="review_items_update")
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Assign an item to a person or a team, give it another priority or a date."""
        item = self.get_object()
        serializer = self.get_serializer(item, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        assign_item(item, at=now(), **serializer.validated_data)
        return Response(self.get_serializer(self.get_queryset().get(pk=pk)).data)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def work(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Return all that an editor shows of an item: picture, predictions, boxes, classes."""
        return self._work(actor_of(request))

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Begin with an item: it is this labeler's until the lease runs out."""
        with in_words():
            start_item(item=self.get_object(), by=actor_of(request), at=now())
        return self._work(actor_of(request))

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Give a sign of life: the lease lasts longer, and the time counts as work."""
        with in_words():
            lease = renew_lease(item=self.get_object(), by=actor_of(request), at=now())
        return Response({"expires_at": lease.expires_at, "active_s": lease.active_s})

    @extend_schema(request=None, responses={HTTPStatus.NO_CONTENT: None})
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Give an item back."""
        release_item(item=self.get_object(), by=actor_of(request), at=now())
        return Response(status=HTTPStatus.NO_CONTENT)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=VerdictSerializer)
    @action(detail=True, methods=["post"])
    def verdict(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Save what is in the picture: `revision`, `boxes`, and maybe `classes` and `findings`."""
        item = self.get_object()
        with in_words():
            wish = read_parsed(request.data, SaveRequest)
            saved = submit_verdict(
                item=item,
                by=actor_of(request),
                revision=wish.revision,
                boxes=wish.boxes,
                classes=wish.classes,
                findings=wish.findings,
                at=now(),
            )
        return Response(VerdictSerializer(saved).data, HTTPStatus.CREATED)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=VerdictSerializer)
    @action(detail=True, methods=["post"])
    def skip(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Leave the picture to somebody else (`passed`), or say that nobody can tell."""
        item = self.get_object()
        with in_words():
            wish = read_parsed(request.data, SkipRequest)
            saved = skip_item(
                item=item,
                by=actor_of(request),
                revision=wish.revision,
                skip_as=wish.skip_as,
                at=now(),
            )
        return Response(VerdictSerializer(saved).data, HTTPStatus.CREATED)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def check(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Return what each labeler decided, for a checker."""
        item, actor = self.get_object(), actor_of(request)
        with in_words():
            shown = check_for_page(item, by=actor, at=now())
        works = [
            VerdictSerializer(verdict).data
            | {"boxes": boxes_of(verdict.annotation) if verdict.annotation else None}
            for verdict in shown.works
        ]
        told = {
            "revision": item.revision,
            "state": item.state,
            "agreement": item.agreement,
            "works": works,
            "begin": {
                "boxes": shown.begin.boxes,
                "classes": sorted(shown.begin.classes),
                "is_ambiguous": shown.begin.is_ambiguous,
            },
            "held_by": shown.held_by and shown.held_by.holder.username,
        }
        return Response(msgspec.to_builtins(told, builtin_types=(UUID,)))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=ReviewItemSerializer)
    @check.mapping.post
    def decide_check(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Decide a check: `decision` is accept, settle (with `boxes`) or send_back (`reasons`).

        Settling takes `classes` and `findings` as a verdict does, and also ends a disagreement;
        sent back, an item goes to those who decided it.
        """
        item = self.get_object()
        with in_words():
            wish: CheckRequest = read_parsed(request.data, CheckRequest)
            checked = decide_check(item, wish, by=actor_of(request), at=now())
        return Response(self.get_serializer(checked).data)

    def _work(self, actor: User) -> Response:
        shown = item_for_editor(self.get_object(), by=actor, at=now())
        return Response(msgspec.to_builtins(shown))
