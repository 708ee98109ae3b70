"""Reads of events: which clips are wanted, and which events a class was in."""

import json
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from webapp.common.rows import any_of
from webapp.events.models import CLIP_PATIENCE, Clip, Event


def with_labels_text(events: QuerySet[Event]) -> QuerySet[Event]:
    """Return the events so that `labels_text__contains=label_in_text(label)` narrows them."""
    return events.alias(labels_text=Cast("labels", TextField()))


def label_in_text(label: str) -> str:
    """Return a class as databases write it in a list: between quotes, which none has bare in it."""
    return json.dumps(label, ensure_ascii=connection.vendor == "sqlite")


def with_label(events: QuerySet[Event], label: str) -> QuerySet[Event]:
    """Return those of the events that a thing of this class was in."""
    narrowed: dict[str, str] = {"labels_text__contains": label_in_text(label)}
    return with_labels_text(events).filter(**narrowed)


def read_wanted_clips(
    agent_ids: Collection[UUID], *, most: int, at: datetime
) -> dict[UUID, tuple[UUID, ...]]:
    """Return the agents' names of the clips that are waited for, longest waited for first.

    At most `most` an agent; an agent of which nothing is wanted is not there.
    """
    wanted: dict[UUID, list[UUID]] = defaultdict(list)
    rows = Clip.objects.filter(
        agent__in=any_of(agent_ids), state=Clip.State.ASKED, asked_at__gt=at - CLIP_PATIENCE
    ).order_by("asked_at", "id")
    for agent_id, clip_id in rows.values_list("agent_id", "clip_id"):
        if len(wanted[agent_id]) < most:
            wanted[agent_id].append(clip_id)
    return {agent_id: tuple(clip_ids) for agent_id, clip_ids in wanted.items()}
