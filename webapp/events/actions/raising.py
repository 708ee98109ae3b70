"""What agents say of events, many words at a time, inside the writer's transaction.

The writer holds the agents' rows, so of one event only one transaction writes at a time.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, cast
from uuid import UUID

import msgspec
from django.db import transaction

from processing.wire.limits import MAX_CLIP_BYTES
from processing.wire.messages import EventRaised
from webapp.common.changes import record_change
from webapp.common.text import clean_text
from webapp.events.life import Life, Phase, Spoken, State, join, life_of_word
from webapp.events.models import Clip, Event, Thumbnail, Word
from webapp.fleet.models import Agent

EventLane: TypeAlias = Literal["alerts", "events"]
Key: TypeAlias = tuple[UUID, UUID]
"""Agent and event."""

_DIGEST_BYTES: Final = 16
_OF_LIFE: Final = (
    "camera", "kind", "severity", "title", "detail", "occurred_at", "rule_id", "state", "ended_at",
    "labels", "tracks", "n_updates", "spoken_at", "spoken_phase",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raised:
    """An entry of an agent's alerts or events lane."""

    agent: Agent
    epoch: int
    lane: EventLane
    seq: int
    event: EventRaised
    received_at: datetime


@transaction.atomic
def record_raised(arrivals: Iterable[Raised]) -> None:
    """Record what agents raised; what is there already stays, or is joined by what is new."""
    raised = list(arrivals)
    Event.objects.bulk_create(
        [_plain_row(each) for each in raised if each.event.event_id is None],
        ignore_conflicts=True,
    )
    if words := [each for each in raised if each.event.event_id is not None]:
        _record_words(words)
    newest = {each.agent.organization_id: each.received_at for each in raised}
    for organization_id, at in newest.items():
        record_change(organization_id, "events", at=at)


def _plain_row(raised: Raised) -> Event:
    event = raised.event
    return Event(
        organization_id=raised.agent.organization_id,
        agent=raised.agent,
        camera_id=event.camera_id,
        rule_id=event.rule_id,
        kind=clean_text(event.kind),
        severity=event.severity,
        title=clean_text(event.title),
        detail=clean_text(event.detail),
        labels=[clean_text(label) for label in event.labels],
        tracks=list(event.tracks),
        occurred_at=event.occurred_at,
        received_at=raised.received_at,
        epoch=raised.epoch,
        lane=raised.lane,
        seq=raised.seq,
    )


def _record_words(words: Sequence[Raised]) -> None:
    known = _known_rows(words)
    rows = dict(known)
    said = set(
        Word.objects.filter(event__in=[row.pk for row in known.values()])
        .filter(digest__in=[_digest(each.event) for each in words])
        .values_list("event_id", "digest")
    )
    new_words = list[Word]()
    for each in words:
        key, life = _key(each), life_of_word(each.event)
        row = rows.get(key)
        if row is None:
            row = rows[key] = _new_row(each)
        else:
            life = join(_life_of_row(row), life)
        _tell(row, life)
        word = _word(row, each.event)
        if (row.pk, word.digest) not in said:
            said.add((row.pk, word.digest))
            new_words.append(word)
            row.n_updates += word.phase == Word.Phase.UPDATE
    fresh = {key: row for key, row in rows.items() if key not in known}
    _give_thumbnails(fresh)
    Event.objects.bulk_create(fresh.values())
    Event.objects.bulk_update(known.values(), _OF_LIFE)
    Word.objects.bulk_create(new_words)
    _record_clips(words, rows)


def _known_rows(words: Iterable[Raised]) -> dict[Key, Event]:
    keys = {_key(each) for each in words}
    found = Event.objects.filter(
        agent__in={agent_id for agent_id, _ in keys}, event_id__in={event for _, event in keys}
    )
    rows = {(cast("UUID", row.agent_id), cast("UUID", row.event_id)): row for row in found}
    return {key: rows[key] for key in keys & rows.keys()}


def _new_row(raised: Raised) -> Event:
    return Event(
        organization_id=raised.agent.organization_id,
        agent=raised.agent,
        event_id=raised.event.event_id,
        received_at=raised.received_at,
    )


def _life_of_row(row: Event) -> Life:
    assert row.spoken_at is not None
    spoken = Spoken(
        phase=cast("Phase", row.spoken_phase),
        at=row.spoken_at,
        kind=row.kind,
        severity=row.severity,
        title=row.title,
        detail=row.detail,
        camera_id=row.camera_id,
        rule_id=row.rule_id,
    )
    return Life(
        began_at=row.occurred_at,
        ended_at=row.ended_at,
        state=cast("State", str(row.state)),
        spoken=spoken,
        labels=tuple(row.labels),
        tracks=tuple(row.tracks),
    )


def _tell(row: Event, life: Life) -> None:
    row.occurred_at, row.ended_at, row.state = life.began_at, life.ended_at, life.state
    row.labels, row.tracks = list(life.labels), list(life.tracks)
    spoken = life.spoken
    row.spoken_phase, row.spoken_at = spoken.phase, spoken.at
    row.kind, row.severity = spoken.kind, spoken.severity
    row.title, row.detail = spoken.title, spoken.detail
    row.camera_id, row.rule_id = spoken.camera_id, spoken.rule_id


def _word(row: Event, word: EventRaised) -> Word:
    return Word(
        event=row,
        phase=word.phase,
        said_at=word.occurred_at,
        title=clean_text(word.title),
        detail=clean_text(word.detail),
        digest=_digest(word),
    )


def _give_thumbnails(fresh: dict[Key, Event]) -> None:
    """Give new events the pictures that were here before them."""
    found = Thumbnail.objects.filter(
        agent__in={agent_id for agent_id, _ in fresh}, event_id__in={event for _, event in fresh}
    )
    for thumbnail in found if fresh else ():
        row = fresh.get((thumbnail.agent_id, thumbnail.event_id))
        if row is not None:
            row.thumbnail = thumbnail


def _record_clips(words: Iterable[Raised], rows: dict[Key, Event]) -> None:
    clips = [
        Clip(
            organization_id=each.agent.organization_id,
            agent=each.agent,
            event=rows[_key(each)],
            clip_id=clip.clip_id,
            begins_at=clip.begins_at,
            seconds=clip.seconds,
            n_bytes=clip.n_bytes,
            state=Clip.State.KEPT if clip.n_bytes <= MAX_CLIP_BYTES else Clip.State.GONE,
            reason="" if clip.n_bytes <= MAX_CLIP_BYTES else "It is larger than the hub takes.",
        )
        for each in words
        if (clip := each.event.clip) is not None
    ]
    Clip.objects.bulk_create(clips, ignore_conflicts=True)


def _key(raised: Raised) -> Key:
    assert raised.event.event_id is not None
    return raised.agent.id, raised.event.event_id


def _digest(word: EventRaised) -> str:
    """Return what tells words apart; an agent repeats one when it has a clip to add to it."""
    bare = msgspec.structs.replace(word, clip=None)
    return hashlib.sha256(msgspec.json.encode(bare)).digest()[:_DIGEST_BYTES].hex()
