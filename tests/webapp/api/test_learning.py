"""Events, samples, review items and verdicts over HTTP, to read."""

import pytest
from django.test import Client

from tests.factories import START, make_event, make_sample
from webapp.accounts.models import User
from webapp.datasets.models import Sample
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import open_item, submit_verdict
from webapp.review.models import ReviewItem


@pytest.fixture
def item(camera: Camera, bundle: Bundle) -> ReviewItem:
    return open_item(sample=make_sample(camera, bundle), at=START)


def test_it_works(client: Client, bob: User, item: ReviewItem) -> None:
    submit_verdict(item=item, by=bob, revision=item.revision, boxes=[], at=START)
    client.force_login(bob)
    (found,) = client.get("/api/v1/review-items/").json()["results"]
    assert (found["state"], found["sample"]) == ("done", str(item.sample_id))
    (verdict,) = client.get(f"/api/v1/verdicts/?item={item.id}").json()["results"]
    assert (verdict["by"], verdict["outcome"]) == ("bob", "corrected")
    (sample,) = client.get("/api/v1/samples/").json()["results"]
    assert sample["annotation"]["author"] == "bob"
    assert [box["label"] for box in sample["predictions"]] == ["person", "bicycle"]
    assert sample["picture"] == f"/media/{item.sample_id}/"


def test_a_picture_that_nobody_has_checked_has_no_address(
    client: Client, bob: User, item: ReviewItem
) -> None:
    Sample.objects.update(state=Sample.State.RECEIVED)
    client.force_login(bob)
    sample = client.get(f"/api/v1/samples/{item.sample_id}/").json()
    assert (sample["picture"], sample["annotation"]) == (None, None)


def test_lists_are_narrowed_by_state(client: Client, bob: User, item: ReviewItem) -> None:
    client.force_login(bob)
    assert len(client.get("/api/v1/review-items/?state=open").json()["results"]) == 1
    assert client.get("/api/v1/review-items/?state=done").json()["results"] == []
    assert client.get("/api/v1/samples/?state=broken").json()["results"] == []
    assert client.get("/api/v1/samples/?state=odd").status_code == 400


def test_events_are_newest_first_and_narrowed(client: Client, olga: User, camera: Camera) -> None:
    make_event(camera.organization, title="first", camera=camera)
    make_event(camera.organization, title="second", occurred_at=START.replace(hour=13))
    client.force_login(olga)
    found = client.get("/api/v1/events/").json()["results"]
    assert [event["title"] for event in found] == ["second", "first"]
    assert len(client.get(f"/api/v1/events/?camera={camera.id}").json()["results"]) == 1


def test_strangers_see_nothing(client: Client, charlie: User, item: ReviewItem) -> None:
    client.force_login(charlie)
    for name in ("review-items", "verdicts", "samples", "events", "jobs", "exports"):
        assert client.get(f"/api/v1/{name}/").json()["results"] == []
    assert client.get(f"/api/v1/samples/{item.sample_id}/").status_code == 404
    assert client.get(f"/api/v1/review-items/{item.id}/").status_code == 404


def test_operators_do_not_read_verdicts(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert client.get("/api/v1/verdicts/").status_code == 403


def test_reading_a_page_of_samples_asks_few_questions(
    client: Client,
    bob: User,
    camera: Camera,
    bundle: Bundle,
    django_assert_max_num_queries: object,
) -> None:
    for _ in range(20):
        make_sample(camera, bundle)
    client.force_login(bob)
    with django_assert_max_num_queries(9):  # type: ignore[operator]  # a fixture of pytest-django
        client.get("/api/v1/samples/")
