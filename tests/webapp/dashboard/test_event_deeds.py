"""What operators do on the pages of events: for htmx, for scripts and without either."""

from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import START, make_bundle, make_event, make_thumbnail
from webapp.accounts.models import Organization, User
from webapp.events.models import Event
from webapp.fleet.models import Camera
from webapp.review.models import ReviewItem

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


@pytest.fixture
def event(camera: Camera) -> Event:
    return make_event(camera.organization, agent=camera.agent, camera=camera, title="Somebody")


@pytest.fixture
def page(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def test_it_works(page: Client, event: Event) -> None:
    part = page.post(f"/events/{event.pk}/acknowledge/", headers=HTMX)
    assert part.status_code == 200
    assert "Acknowledged by olga" in part.text
    assert "<html" not in part.text
    part = page.post(f"/events/{event.pk}/take-back/", headers=HTMX)
    assert "Acknowledgement taken back" in part.text


def test_without_htmx_the_page_comes_again(page: Client, event: Event) -> None:
    answer = page.post(f"/events/{event.pk}/acknowledge/")
    assert answer.headers["Location"] == f"/events/{event.pk}/"


def test_a_false_alarm_says_where_its_picture_goes(page: Client, event: Event) -> None:
    make_bundle(event.organization)
    make_thumbnail(event)
    answer = page.post(f"/events/{event.pk}/false-alarm/", headers=JSON)
    assert answer.json() == {"says": "A false alarm: its picture goes to the labelers."}
    again = page.post(f"/events/{event.pk}/false-alarm/", headers=HTMX)
    assert "already" in again.headers["HX-Trigger"]
    assert "A false alarm, says olga" in again.text
    assert (
        "Not a false alarm" not in page.post(f"/events/{event.pk}/true-alarm/", headers=HTMX).text
    )
    assert not ReviewItem.objects.exists()


def test_what_no_camera_saw_is_no_false_alarm(page: Client, acme: Organization) -> None:
    event = make_event(acme)
    says = page.post(f"/events/{event.pk}/false-alarm/", headers=JSON).json()["says"]
    assert says == "Only what a camera has seen can be a false alarm."
    assert "false-alarm" not in page.get(f"/events/{event.pk}/").text


def test_comments_and_deeds_stand_in_one_story(page: Client, event: Event) -> None:
    page.post(f"/events/{event.pk}/comments/", {"text": "The <b>postman</b>\nagain"}, headers=HTMX)
    part = page.post(f"/events/{event.pk}/acknowledge/", headers=HTMX).text
    assert "The &lt;b&gt;postman&lt;/b&gt;<br>again" in part
    assert part.index("Acknowledged <span") < part.index("Commented <span")


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001])
def test_what_is_no_comment_is_refused_by_field(page: Client, event: Event, text: str) -> None:
    answer = page.post(f"/events/{event.pk}/comments/", {"text": text}, headers=HTMX)
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"text"}


def test_many_are_taken_note_of_but_nobody_elses(page: Client, charlie: User, event: Event) -> None:
    theirs = make_event(charlie.organizations.get(), occurred_at=START)
    wanted = {"event": [str(event.pk), str(theirs.pk), str(uuid4())]}
    assert page.post("/events/acknowledge/", wanted).json() == {"n_events": 1}
    assert page.post("/events/acknowledge/", wanted).json() == {"n_events": 0}
    assert page.post("/events/acknowledge/", wanted | {"undo": "1"}).json() == {"n_events": 1}
    theirs.refresh_from_db()
    assert theirs.acknowledged_at is None


@pytest.mark.parametrize("event", [[], ["nonsense"], [str(uuid4())] * 401], ids=["0", "odd", "401"])
def test_what_names_no_events_is_refused(page: Client, event: list[str]) -> None:
    answer = page.post("/events/acknowledge/", {"event": event})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"event"}
