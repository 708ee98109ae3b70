"""What people were told about, over HTTP."""

from typing import ClassVar

from rest_framework import serializers

from webapp.accounts.models import Role
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.filters import Allowed
from webapp.common.pagination import NewestOccurrenceFirst
from webapp.events.models import Event


class EventSerializer(serializers.ModelSerializer[Event]):
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
            "occurred_at",
            "received_at",
        )


class EventViewSet(OwnedViewSet[Event]):
    """What happened, newest first."""

    queryset = Event.objects.all()
    serializer_class = EventSerializer
    pagination_class = NewestOccurrenceFirst
    needed = Role.OPERATOR
    filters: ClassVar = {
        "agent": Allowed.id_of("agent", "agent"),
        "camera": Allowed.id_of("camera", "camera"),
        "severity": Allowed.one_of("severity", Event.Severity.choices),
        "from": Allowed.since("occurred_at"),
        "to": Allowed.until("occurred_at"),
    }
