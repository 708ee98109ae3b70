"""“This is wrong”, on an event, a result or a live picture: labelers look at it before all else."""

from base64 import b64encode
from datetime import timedelta

import pytest
from django.test import Client

from processing.wire.packed import unpack
from tests.factories import (
    JPEG,
    make_detections,
    make_event,
    make_result,
    make_sample,
    make_thumbnail,
)
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.datasets.models import Sample
from webapp.events.models import Event
from webapp.fleet.models import Bundle, Camera
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks
from webapp.review.actions import open_item
from webapp.review.models import ReviewItem
from webapp.review.reports import MOST_AN_HOUR

JSON = "application/json"
PATH = "/api/v1/reports/"


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


@pytest.fixture
def event(camera: Camera) -> Event:
    return make_event(camera.organization, agent=camera.agent, camera=camera, title="A person")


def do_jobs() -> None:
    load_tasks()
    runner = JobRunner(handlers=HANDLERS, clock=now, lease=LEASE)
    for job in Job.objects.filter(state=Job.State.WAITING):
        runner.run(job.id, job.attempt + 1)


def live(camera: Camera, **other: object) -> dict[str, object]:
    """What the camera's page sends."""
    seen = {"captured_at": now().isoformat(), "width": 8, "height": 8}
    return {"camera": str(camera.pk), "picture": b64encode(JPEG).decode(), **seen, **other}


def test_it_works(operator: Client, camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle, captured_at=now(), detections=make_detections(2, score=0.8))
    answer = operator.post(PATH, live(camera), content_type=JSON)
    assert (answer.status_code, answer.json()) == (201, {"review": "queued"})
    do_jobs()
    item = ReviewItem.objects.get()
    assert (item.reason, item.why) == ("reported", "Reported as wrong by olga, who was watching")
    assert [found.label for found in unpack(bytes(item.sample.predictions))] == [2]
    assert item.priority > 1.0


def test_an_events_picture_is_looked_at_and_the_event_stays_as_it_is(
    operator: Client, event: Event, bundle: Bundle
) -> None:
    make_thumbnail(event, width=8, height=8)
    for _ in range(2):
        answer = operator.post(PATH, {"event": str(event.pk)}, content_type=JSON)
        assert answer.json() == {"review": "queued"}
    do_jobs()
    item = ReviewItem.objects.get()
    assert item.why == "Reported as wrong by olga: A person"
    event.refresh_from_db()
    assert (event.acknowledged_at, event.false_alarm_at) == (None, None)


def test_the_events_page_has_the_click_too(operator: Client, event: Event, bundle: Bundle) -> None:
    make_thumbnail(event, width=8, height=8)
    page = operator.get(f"/events/{event.pk}/").content.decode()
    assert f"/events/{event.pk}/report/" in page
    operator.post(f"/events/{event.pk}/report/")
    assert Sample.objects.get().reason == "reported"


def test_of_a_result_the_nearest_picture_is_looked_at(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    at = now() - timedelta(hours=1)
    result = make_result(camera, bundle, captured_at=at)
    wanted = {"result": result.pk}
    assert operator.post(PATH, wanted, content_type=JSON).json() == {"review": "no_picture"}
    near = make_sample(camera, bundle, captured_at=at + timedelta(seconds=4))
    make_sample(camera, bundle, captured_at=at - timedelta(seconds=8))
    open_item(sample=near, at=at)
    assert operator.post(PATH, wanted, content_type=JSON).json() == {"review": "queued"}
    item = ReviewItem.objects.get()
    assert (item.sample, item.reason) == (near, "reported")
    assert item.why.startswith("Reported as wrong by olga: the result of ")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, ""),
        ({"event": "7"}, "event"),
        ({"event": "01928f1e-0000-7000-8000-000000000000"}, "event"),
        ({"picture": "not base64"}, "picture"),
        ({"width": 0}, "width"),
        ({"captured_at": "2001-01-01T00:00:00Z"}, "captured_at"),
        ({"captured_at": None}, "captured_at"),
    ],
)
def test_nonsense_is_refused_by_field(
    operator: Client, camera: Camera, bundle: Bundle, wrong: dict[str, object], field: str
) -> None:
    body = wrong if not wrong or "event" in wrong else live(camera, **wrong)
    answer = operator.post(PATH, body, content_type=JSON)
    assert answer.status_code == 400
    assert not field or field in answer.json()["errors"]
    assert not Sample.objects.exists()


def test_a_picture_that_is_none_is_refused(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    wanted = live(camera, picture=b64encode(b"hello").decode())
    assert operator.post(PATH, wanted, content_type=JSON).status_code == 409


def test_nobody_fills_the_queue_with_reports(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    for _ in range(MOST_AN_HOUR):
        make_sample(camera, bundle, reason=Sample.Reason.REPORTED, received_at=now())
    answer = operator.post(PATH, live(camera), content_type=JSON)
    assert answer.status_code == 409
    assert "in an hour" in answer.json()["detail"]


def test_strangers_report_nothing_of_ours(
    client: Client, charlie: User, camera: Camera, event: Event, bundle: Bundle
) -> None:
    client.force_login(charlie)
    for wanted in (live(camera), {"event": str(event.pk)}):
        assert client.post(PATH, wanted, content_type=JSON).status_code == 400
    assert not Sample.objects.exists()
