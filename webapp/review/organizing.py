"""Who works on what, how good it must be and by when: queues, teams, assignments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from webapp.accounts.models import Organization, Role, User
from webapp.common.changes import record_change
from webapp.review.leasing import lock_item
from webapp.review.models import ReviewItem, ReviewQueue, Team


def save_queue(queue: ReviewQueue, *, at: datetime, **fields: Any) -> ReviewQueue:
    """Write a queue, new or not; raise `ValidationError` by field.

    How many labelers decide an item is settled when it is opened: those there stay as they are.
    """
    for name, value in fields.items():
        setattr(queue, name, value)
    for name in ("labelers", "checkers"):
        _refuse_foreign(name, getattr(queue, name), queue.organization)
    queue.full_clean()
    queue.save()
    record_change(queue.organization_id, "review", at=at)
    return queue


@transaction.atomic
def save_team(team: Team, *, name: str = "", members: Sequence[User] | None = None) -> Team:
    """Write a team, new or not; raise `ValidationError` by field."""
    team.name = name or team.name
    team.full_clean()
    team.save()
    if members is not None:
        for member in members:
            _refuse_unless_labeler("members", member, team.organization)
        team.members.set(members)
    return team


@transaction.atomic
def assign_item(item: ReviewItem, *, at: datetime, **fields: Any) -> ReviewItem:
    """Give an item to a person or a team, another priority or date; raise `ValidationError`.

    With `is_returned=False` what was sent back may be done by anybody.
    """
    item = lock_item(item)
    for name, value in fields.items():
        setattr(item, name, value)
    _refuse_foreign("team", item.team, item.organization)
    if item.assignee is not None:
        _refuse_unless_labeler("assignee", item.assignee, item.organization)
    item.save(update_fields=[*fields])
    record_change(item.organization_id, "review", at=at)
    return item


def _refuse_foreign(field: str, team: Team | None, organization: Organization) -> None:
    if team is not None and team.organization_id != organization.pk:
        raise ValidationError({field: "There is no such team."})


def _refuse_unless_labeler(field: str, user: User, organization: Organization) -> None:
    roles = user.memberships.filter(organization=organization).values_list("role", flat=True)
    if not any(Role(role).allows(Role.LABELER) for role in roles):
        raise ValidationError({field: "This person is no labeler here."})
