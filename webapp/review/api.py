"""The labelers' work over HTTP, to read. Deciding is done on the review pages."""

from typing import ClassVar

from rest_framework import serializers

from webapp.accounts.models import Role
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.filters import Allowed
from webapp.review.models import ReviewItem, Verdict


class ReviewItemSerializer(serializers.ModelSerializer[ReviewItem]):
    class Meta:
        model = ReviewItem
        fields = ("id", "queue", "sample", "state", "priority", "created_at", "revision")


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    by = serializers.CharField(source="by.username", default=None)

    class Meta:
        model = Verdict
        fields = (
            "id",
            "item",
            "by",
            "outcome",
            "annotation",
            "created_at",
            "seconds",
            "undone_at",
        )


class ReviewItemViewSet(OwnedViewSet[ReviewItem]):
    """Samples to be looked at."""

    queryset = ReviewItem.objects.all()
    serializer_class = ReviewItemSerializer
    needed = Role.LABELER
    filters: ClassVar = {
        "queue": Allowed.id_of("queue", "queue"),
        "sample": Allowed.id_of("sample", "sample"),
        "state": Allowed.one_of("state", ReviewItem.State.choices),
    }


class VerdictViewSet(OwnedViewSet[Verdict]):
    """What labelers decided; taken back ones have `undone_at`."""

    queryset = Verdict.objects.select_related("by")
    serializer_class = VerdictSerializer
    needed = Role.LABELER
    filters: ClassVar = {
        "item": Allowed.id_of("item", "item"),
        "outcome": Allowed.one_of("outcome", Verdict.Outcome.choices),
        "from": Allowed.since("created_at"),
        "to": Allowed.until("created_at"),
    }
