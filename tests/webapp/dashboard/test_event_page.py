"""The page of one event: its picture, its clips, how it went, and who may ask for more."""

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from django.test import Client

from processing.wire.messages import EventRaised
from processing.wire.scene import Rule, Scene, Tampered
from tests.factories import START, make_blob, make_clip, make_event, make_thumbnail
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.dashboard.event_story import MAX_ENTRIES
from webapp.dashboard.templatetags.event_times import duration
from webapp.events.actions import Raised, record_raised
from webapp.events.models import Clip, Event
from webapp.fleet.models import Agent, Camera


@pytest.fixture
def event(agent: Agent, camera: Camera) -> Event:
    """Somebody was in a zone for a while."""
    event_id = uuid4()
    for seq, (phase, second) in enumerate((("start", 0), ("update", 4), ("end", 9)), 1):
        word = EventRaised(
            kind="in_zone",
            occurred_at=START + timedelta(seconds=second),
            title="Person in Gate",
            detail=f"seen for {second} s",
            phase=phase,  # type: ignore[arg-type]  # one of them
            event_id=event_id,
            camera_id=camera.id,
            rule_id=UUID(int=1),
            labels=("person",),
            tracks=(7,),
        )
        record_raised([Raised(agent, 1, "alerts", seq, word, START)])
    return Event.objects.get()


def test_it_works(client: Client, olga: User, event: Event) -> None:
    make_thumbnail(event)
    client.force_login(olga)
    page = client.get(f"/events/{event.pk}/").text
    for words in ("Person in Gate", "seen for 9 s", "after 9 s", "Started", "Went on", "Ended"):
        assert words in page
    assert f"/media/events/{event.pk}/?v={event.thumbnail and event.thumbnail.blob_id}" in page
    picture = client.get(f"/media/events/{event.pk}/")
    assert picture.headers["Content-Type"] == "image/jpeg"
    picture.close()


def test_an_event_without_a_life_has_a_page_too(client: Client, olga: User, agent: Agent) -> None:
    event = make_event(agent.organization, agent=agent, title="Quay 1 is offline")
    client.force_login(olga)
    page = client.get(f"/events/{event.pk}/").text
    assert "Quay 1 is offline" in page
    assert "No picture of this" in page


def test_a_clip_is_asked_for_and_shown_when_it_has_come(
    client: Client, olga: User, event: Event
) -> None:
    clip = make_clip(event)
    client.force_login(olga)
    assert "Play the clip" in client.get(f"/events/{event.pk}/").text
    asked = client.post(f"/events/clips/{clip.pk}/ask/", headers={"HX-Request": "true"})
    assert 'data-clip="asked"' in asked.text
    assert "is not connected" in asked.text
    clip.refresh_from_db()
    assert (clip.state, clip.asked_by) == ("asked", olga)
    blob = make_blob(event.organization, b"\0\0\0\x18ftypisom", content_type="video/mp4")
    Clip.objects.update(state="here", blob=blob)
    come = client.get(f"/events/clips/{clip.pk}/_part/").text
    assert f'src="/media/clips/{clip.pk}/"' in come
    assert "autoplay" in come
    assert "hx-trigger" not in come
    assert "autoplay" not in client.get(f"/events/{event.pk}/").text


def test_without_scripts_asking_leads_back_to_the_event(
    client: Client, olga: User, event: Event
) -> None:
    client.force_login(olga)
    answer = client.post(f"/events/clips/{make_clip(event).pk}/ask/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/events/{event.pk}/")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "gone", "reason": "it made room for newer ones"}, "it made room for newer ones"),
        ({"state": "asked", "asked_at": START}, "did not come within 10 minutes"),
    ],
)
def test_a_clip_that_does_not_come_says_why(
    client: Client, olga: User, event: Event, fields: dict[str, object], words: str
) -> None:
    make_clip(event, **fields)
    client.force_login(olga)
    assert words in client.get(f"/events/{event.pk}/").text


def test_a_long_life_is_shown_from_its_newest_end(client: Client, olga: User, event: Event) -> None:
    for number in range(MAX_ENTRIES + 5):
        at = START + timedelta(minutes=1, seconds=number)
        event.words.create(
            phase="update", said_at=at, title="In", detail=f"word {number}.", digest=str(number)
        )
    client.force_login(olga)
    page = client.get(f"/events/{event.pk}/_life/").text
    assert f"word {MAX_ENTRIES + 4}." in page
    assert "word 4." not in page
    assert "Only the newest" in page


def test_the_name_of_its_rule_is_shown_while_there_is_one(
    client: Client, olga: User, event: Event
) -> None:
    client.force_login(olga)
    assert "no longer there" in client.get(f"/events/{event.pk}/_life/").text
    rule = Rule(rule_id=UUID(int=1), name="Somebody at the gate", condition=Tampered())
    Camera.objects.update(scene=msgspec.to_builtins(Scene(rules=(rule,))))
    page = client.get(f"/events/{event.pk}/_life/").text
    assert "Somebody at the gate" in page
    assert "no longer there" not in page
    Camera.objects.update(scene={"rules": 5})
    assert "no longer there" in client.get(f"/events/{event.pk}/_life/").text


def test_what_runs_is_told_apart_from_what_nobody_has_heard_of(
    client: Client, olga: User, agent: Agent, event: Event
) -> None:
    Event.objects.update(state="running", ended_at=None, spoken_at=now())
    client.force_login(olga)
    assert "not heard of since" in client.get("/events/").text
    Agent.objects.update(is_connected=True, last_seen_at=now())
    assert "running for" in client.get("/events/").text
    assert "running for" in client.get(f"/events/{event.pk}/_life/").text


def test_filters_narrow_by_kind_time_and_life(client: Client, olga: User, agent: Agent) -> None:
    organization, at = agent.organization, now()
    make_event(organization, title="Runs", kind="in_zone", state="running", occurred_at=at)
    make_event(organization, title="Crossed", kind="crossed", occurred_at=at - timedelta(hours=3))
    make_event(organization, title="Offline", kind="agent_offline", occurred_at=START)
    client.force_login(olga)
    for query, expected in (
        ({"kind": "crossed"}, {"Crossed"}),
        ({"kind": "other"}, {"Offline"}),
        ({"state": "running"}, {"Runs"}),
        ({"span": "1h"}, {"Runs"}),
        ({"span": "24h", "kind": "crossed"}, {"Crossed"}),
    ):
        page = client.get("/events/", query, headers={"HX-Request": "true"}).text
        shown = {title for title in ("Runs", "Crossed", "Offline") if f">{title}</a>" in page}
        assert shown == expected, query


def test_a_page_of_events_costs_few_questions(
    client: Client, olga: User, agent: Agent, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        shown = make_event(agent.organization, agent=agent)
        make_thumbnail(shown)
        make_clip(shown)
    client.force_login(olga)
    with django_assert_max_num_queries(9):  # type: ignore[operator]  # a fixture of pytest-django
        client.get("/events/", headers={"HX-Request": "true"})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (0.3, "under 1 s"),
        (12, "12 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (7440, "2 h 4 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_lengths_of_time_are_short(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == duration(seconds) == words
