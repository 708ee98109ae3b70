"""Telling pages that something changed, in the transaction that changed it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from processing.wire.browser import Topic
from webapp.common.models import Change
from webapp.common.nudges import nudge

KEPT = timedelta(minutes=10)


def record_change(organization_id: UUID, topic: Topic, *, at: datetime) -> None:
    """Say that `topic` of an organization is out of date."""
    Change.objects.create(organization_id=organization_id, topic=topic, made_at=at)
    nudge(organization_id)


def changes_after(change_id: int) -> Iterable[Change]:
    """Return the changes made after this one, oldest first."""
    return Change.objects.filter(id__gt=change_id).order_by("id")


def newest_change_id(*, before: datetime) -> int:
    """Return where a follower starts that wants what has been made since then."""
    settled = Change.objects.filter(made_at__lt=before).order_by("-id")
    return settled.values_list("id", flat=True).first() or 0


def forget_changes(*, at: datetime) -> int:
    """Delete what every follower has long seen; return how many."""
    n_deleted, _ = Change.objects.filter(made_at__lt=at - KEPT).delete()
    return n_deleted
