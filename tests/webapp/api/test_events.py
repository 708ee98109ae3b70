"""Events over HTTP: with their life, their picture and their clips, which may be asked for."""

from uuid import UUID, uuid4

import pytest
from django.test import Client

from tests.factories import START, make_blob, make_bundle, make_clip, make_event, make_thumbnail
from webapp.accounts.models import User
from webapp.events.models import Clip, Event
from webapp.fleet.models import Agent, Camera


@pytest.fixture
def event(agent: Agent, camera: Camera) -> Event:
    return make_event(
        agent.organization, agent=agent, camera=camera, kind="in_zone", event_id=uuid4(),
        rule_id=UUID(int=5), state="over", ended_at=START, labels=["person"], tracks=[7],
    )  # fmt: skip


def test_it_works(client: Client, olga: User, event: Event) -> None:
    make_thumbnail(event)
    kept = make_clip(event)
    blob = make_blob(event.organization, b"\0\0\0\x18ftypisom", content_type="video/mp4")
    here = make_clip(event, state="here", blob=blob)
    client.force_login(olga)
    (found,) = client.get("/api/v1/events/").json()["results"]
    assert (found["state"], found["kind"], found["rule"]) == ("over", "in_zone", str(UUID(int=5)))
    assert (found["labels"], found["tracks"]) == (["person"], [7])
    assert found["thumbnail"] == f"/media/events/{event.pk}/"
    clips = {clip["id"]: (clip["state"], clip["file"]) for clip in found["clips"]}
    assert clips == {
        str(kept.pk): ("kept", None), str(here.pk): ("here", f"/media/clips/{here.pk}/"),
    }  # fmt: skip
    assert client.get(f"/api/v1/events/{event.pk}/").json() == found


def test_clips_are_asked_for(client: Client, olga: User, event: Event) -> None:
    make_clip(event)
    client.force_login(olga)
    answer = client.post(f"/api/v1/events/{event.pk}/ask-clips/")
    assert answer.status_code == 202
    assert [clip["state"] for clip in answer.json()["clips"]] == ["asked"]
    assert Clip.objects.get().asked_by == olga


def test_where_no_clip_is_left_that_is_said(client: Client, olga: User, event: Event) -> None:
    make_clip(event, state="gone")
    client.force_login(olga)
    answer = client.post(f"/api/v1/events/{event.pk}/ask-clips/")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:farwatch:problem:no-clip"


def test_the_list_is_narrowed(client: Client, olga: User, event: Event) -> None:
    make_event(event.organization)
    client.force_login(olga)
    for query in ("state=over", "kind=in_zone", f"rule={UUID(int=5)}"):
        found = client.get(f"/api/v1/events/?{query}").json()["results"]
        assert [each["id"] for each in found] == [str(event.pk)], query
    assert client.get("/api/v1/events/?state=odd").status_code == 400


def test_who_may_not_see_events_may_not_ask_for_their_clips(
    client: Client, bob: User, charlie: User, event: Event
) -> None:
    make_clip(event)
    for user, status in ((bob, 403), (charlie, 404)):
        client.force_login(user)
        assert client.post(f"/api/v1/events/{event.pk}/ask-clips/").status_code == status
    assert Clip.objects.get().state == "kept"


def test_a_page_costs_few_questions(
    client: Client, olga: User, event: Event, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        make_clip(make_event(event.organization, agent=event.agent))
    client.force_login(olga)
    with django_assert_max_num_queries(8):  # type: ignore[operator]  # a fixture of pytest-django
        client.get("/api/v1/events/")


def test_an_event_is_acknowledged_and_that_is_taken_back(
    client: Client, olga: User, event: Event
) -> None:
    client.force_login(olga)
    path = f"/api/v1/events/{event.pk}/"
    assert client.post(f"{path}acknowledge/").json()["acknowledged_by"] == "olga"
    (found,) = client.get("/api/v1/events/?acknowledged=true").json()["results"]
    assert found["id"] == str(event.pk)
    assert client.get("/api/v1/events/?acknowledged=false").json()["results"] == []
    assert client.post(f"{path}unacknowledge/").json()["acknowledged_at"] is None
    deeds = client.get(f"{path}deeds/").json()
    assert [(deed["kind"], deed["by"]) for deed in deeds] == [
        ("acknowledged", "olga"), ("unacknowledged", "olga"),
    ]  # fmt: skip


def test_many_are_acknowledged_by_their_ids_but_nobody_elses(
    client: Client, olga: User, charlie: User, event: Event
) -> None:
    theirs = make_event(charlie.organizations.get())
    other = make_event(event.organization)
    client.force_login(olga)
    body = {"events": [str(event.pk), str(other.pk), str(theirs.pk), str(uuid4())]}
    path = "/api/v1/events/acknowledge/"
    answer = client.post(path, body, content_type="application/json")
    assert answer.json() == {"n_events": 2}
    theirs.refresh_from_db()
    assert theirs.acknowledged_at is None


@pytest.mark.parametrize(
    "events", [[], ["no-id"], [str(uuid4())] * 501, "all"], ids=["none", "no id", "too many", "odd"]
)
def test_what_names_no_events_is_refused_by_field(
    client: Client, olga: User, events: object
) -> None:
    client.force_login(olga)
    path = "/api/v1/events/acknowledge/"
    answer = client.post(path, {"events": events}, content_type="application/json")
    assert answer.status_code == 400
    assert all(field.startswith("events") for field in answer.json()["errors"])


def test_a_false_alarm_goes_to_labelers(client: Client, olga: User, event: Event) -> None:
    make_bundle(event.organization)
    make_thumbnail(event)
    client.force_login(olga)
    path = f"/api/v1/events/{event.pk}/"
    answer = client.post(f"{path}false-alarm/").json()
    assert (answer["review"], answer["event"]["false_alarm_by"]) == ("queued", "olga")
    (sample,) = client.get("/api/v1/samples/?reason=false_alarm").json()["results"]
    assert (sample["event"], sample["picture"]) == (str(event.pk), None)
    assert sample["note"].startswith("Marked as a false alarm by olga")
    assert client.post(f"{path}not-false-alarm/").json()["false_alarm_at"] is None


def test_what_no_camera_saw_cannot_be_a_false_alarm(
    client: Client, olga: User, agent: Agent
) -> None:
    event = make_event(agent.organization, agent=agent)
    client.force_login(olga)
    answer = client.post(f"/api/v1/events/{event.pk}/false-alarm/")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:farwatch:problem:no-camera")


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001])
def test_what_is_no_comment_is_refused(client: Client, olga: User, event: Event, text: str) -> None:
    client.force_login(olga)
    path = f"/api/v1/events/{event.pk}/comments/"
    answer = client.post(path, {"text": text}, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"text"}


def test_events_are_narrowed_by_class(client: Client, olga: User, event: Event) -> None:
    make_event(event.organization, labels=["car"])
    client.force_login(olga)
    (found,) = client.get("/api/v1/events/?label=person").json()["results"]
    assert found["id"] == str(event.pk)
