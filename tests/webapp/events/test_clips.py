"""A clip stays on its agent until somebody wants to see it, and is waited for a while."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.factories import START, make_agent, make_blob, make_clip, make_event
from webapp.accounts.models import User
from webapp.common.models import Change
from webapp.dashboard.event_standing import clip_card, event_standing
from webapp.events.actions import (
    ClipIsHere,
    ClipUnknown,
    NotAnMp4,
    ask_for_clips,
    lose_clip,
    take_clip,
)
from webapp.events.models import CLIP_PATIENCE, Clip, Event
from webapp.events.queries import read_wanted_clips
from webapp.fleet.models import Agent
from webapp.media.actions import drop_unused
from webapp.media.models import Blob
from webapp.media.queries import read_blob

MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(range(200))


@pytest.fixture
def event(agent: Agent) -> Event:
    return make_event(agent.organization, agent=agent, event_id=uuid4())


@pytest.fixture
def clip(event: Event) -> Clip:
    return make_clip(event)


def ask(clip: Clip, user: User, after_s: float = 0) -> int:
    at = START + timedelta(seconds=after_s)
    return ask_for_clips(Clip.objects.filter(pk=clip.pk), by=user, at=at)


def test_it_works(agent: Agent, clip: Clip, olga: User) -> None:
    assert read_wanted_clips([agent.pk], most=16, at=START) == {}
    assert ask(clip, olga) == 1
    assert read_wanted_clips([agent.pk], most=16, at=START) == {agent.pk: (clip.clip_id,)}
    taken = take_clip(agent.pk, clip.clip_id, [MP4[:20], MP4[20:]], at=START)
    assert (taken.state, taken.n_bytes, taken.asked_by) == ("here", len(MP4), olga)
    assert taken.blob is not None
    assert taken.blob.content_type == "video/mp4"
    assert read_blob(taken.blob) == MP4
    assert read_wanted_clips([agent.pk], most=16, at=START) == {}
    assert Change.objects.filter(topic="events").exists()


def test_a_clip_that_does_not_come_is_wanted_no_more_and_may_be_asked_for_again(
    agent: Agent, clip: Clip, olga: User
) -> None:
    ask(clip, olga)
    late = START + CLIP_PATIENCE
    assert read_wanted_clips([agent.pk], most=16, at=late) == {}
    clip.refresh_from_db()
    assert clip_card(clip, at=late - timedelta(seconds=1)).state == "asked"
    assert clip_card(clip, at=late).state == "lapsed"
    ask(clip, olga, after_s=CLIP_PATIENCE.total_seconds())
    assert read_wanted_clips([agent.pk], most=16, at=late) == {agent.pk: (clip.clip_id,)}


def test_an_agent_is_asked_for_the_first_ones_first_and_not_for_others(
    agent: Agent, event: Event, olga: User
) -> None:
    clips = [make_clip(event) for _ in range(5)]
    for number, clip in enumerate(clips):
        ask(clip, olga, after_s=number)
    wanted = read_wanted_clips([agent.pk, uuid4()], most=3, at=START + timedelta(seconds=9))
    assert wanted == {agent.pk: tuple(clip.clip_id for clip in clips[:3])}
    assert read_wanted_clips([make_agent(agent.site).pk], most=3, at=START) == {}


def test_a_clip_that_is_lost_says_why_and_is_asked_for_no_more(
    agent: Agent, clip: Clip, olga: User
) -> None:
    ask(clip, olga)
    lose_clip(agent.pk, clip.clip_id, reason="it made room\0 for newer ones", at=START)
    clip.refresh_from_db()
    assert (clip.state, clip.reason) == ("gone", "it made room\ufffd for newer ones")
    assert ask(clip, olga) == 0


def test_a_clip_that_is_here_cannot_be_lost(agent: Agent, clip: Clip) -> None:
    take_clip(agent.pk, clip.clip_id, [MP4], at=START)
    lose_clip(agent.pk, clip.clip_id, reason="gone", at=START)
    clip.refresh_from_db()
    assert clip.state == "here"


def test_a_clip_is_taken_once(agent: Agent, clip: Clip) -> None:
    take_clip(agent.pk, clip.clip_id, [MP4], at=START)
    with pytest.raises(ClipIsHere):
        take_clip(agent.pk, clip.clip_id, [MP4 + b"other"], at=START)
    assert Blob.objects.count() == 1


def test_only_its_own_agent_may_send_a_clip_and_only_while_it_is_trusted(
    agent: Agent, clip: Clip
) -> None:
    with pytest.raises(ClipUnknown):
        take_clip(make_agent(agent.site).pk, clip.clip_id, [MP4], at=START)
    with pytest.raises(ClipUnknown):
        take_clip(agent.pk, uuid4(), [MP4], at=START)
    Agent.objects.update(is_revoked=True)
    with pytest.raises(ClipUnknown):
        take_clip(agent.pk, clip.clip_id, [MP4], at=START)


@pytest.mark.parametrize("content", [b"", b"MZ", b"<html>", bytes(100), b"ftyp" + bytes(20)])
def test_what_is_no_mp4_leaves_nothing_behind(agent: Agent, clip: Clip, content: bytes) -> None:
    with pytest.raises(NotAnMp4):
        take_clip(agent.pk, clip.clip_id, [content] if content else [], at=START)
    clip.refresh_from_db()
    assert (clip.state, Blob.objects.count()) == ("kept", 0)


def test_an_event_goes_on_as_long_as_its_agent_is_there_to_say_so(agent: Agent) -> None:
    agent.is_connected, agent.last_seen_at = True, START
    agent.save()
    event = make_event(agent.organization, agent=agent, state="running", spoken_at=START)
    assert event_standing(event, at=START).state == "running"
    agent.is_connected = False
    lost = event_standing(event, at=START)
    assert (lost.state, lost.heard_at) == ("silent", START)
    agent.is_connected, agent.last_seen_at = True, START + timedelta(hours=2)
    assert event_standing(event, at=START + timedelta(hours=2)).state == "silent"


def test_a_blob_that_a_clip_needs_is_not_dropped(agent: Agent, event: Event) -> None:
    needed = make_blob(agent.organization, MP4, content_type="video/mp4")
    spare = make_blob(agent.organization, MP4 + b"!", content_type="video/mp4")
    make_clip(event, state="here", blob=needed)
    drop_unused([needed.pk, spare.pk])
    assert set(Blob.objects.all()) == {needed}
