"""Clips: asked for by people, sent by agents."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from processing.wire.limits import MAX_TEXT
from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.common.text import clean_text
from webapp.events.models import Clip
from webapp.media.actions import put_chunks
from webapp.media.kinds import is_mp4


class ClipUnknown(Exception):
    """There is no such clip, or nobody may send it any more."""


class ClipIsHere(Exception):
    """The clip has come already."""


class NotAnMp4(Exception):
    """What came is no MP4 file."""


@transaction.atomic
def ask_for_clips(clips: QuerySet[Clip], *, by: User, at: datetime) -> int:
    """Have agents send those of one organization's clips that they have; return how many."""
    awaited = clips.filter(state__in=(Clip.State.KEPT, Clip.State.ASKED))
    organization_id = awaited.values_list("organization_id", flat=True).first()
    if organization_id is None:
        return 0
    record_change(organization_id, "events", at=at)
    return awaited.update(state=Clip.State.ASKED, asked_at=at, asked_by=by)


@transaction.atomic
def lose_clip(agent_id: UUID, clip_id: UUID, *, reason: str, at: datetime) -> None:
    """Write down that an agent cannot send a clip; one that is here stays."""
    clip = Clip.objects.filter(agent=agent_id, clip_id=clip_id).exclude(state=Clip.State.HERE)
    n_lost = clip.update(state=Clip.State.GONE, reason=clean_text(reason)[:MAX_TEXT])
    if n_lost:
        record_change(clip.get().organization_id, "events", at=at)


def take_clip(agent_id: UUID, clip_id: UUID, chunks: Iterable[bytes], *, at: datetime) -> Clip:
    """Store what an agent sends, chunk by chunk, and show it.

    Raise `ClipUnknown`, `ClipIsHere` or `NotAnMp4`, the first two before a byte is read.
    """
    clips = Clip.objects.select_related("organization").filter(
        agent=agent_id, agent__is_revoked=False, clip_id=clip_id
    )
    clip = clips.first()
    if clip is None:
        raise ClipUnknown
    if clip.state == Clip.State.HERE:
        raise ClipIsHere
    blob = put_chunks(
        _checked(chunks), content_type="video/mp4", organization=clip.organization, at=at
    )
    with transaction.atomic():
        is_first = (
            Clip.objects.filter(pk=clip.pk)
            .exclude(state=Clip.State.HERE)
            .update(state=Clip.State.HERE, blob=blob, n_bytes=blob.size, reason="")
        )
        if not is_first:
            raise ClipIsHere
        record_change(clip.organization_id, "events", at=at)
    clip.refresh_from_db()
    return clip


def _checked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the chunks of an MP4 file; raise `NotAnMp4` before the first of anything else."""
    source = iter(chunks)
    first = next(source, b"")
    if not is_mp4(first):
        raise NotAnMp4
    yield from chain((first,), source)
