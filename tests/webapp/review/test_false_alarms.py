"""One click says that an event was none: what fooled the bundle goes to the labelers."""

from datetime import timedelta

import pytest

from processing.wire.packed import unpack
from tests.factories import (
    JPEG,
    START,
    make_blob,
    make_detections,
    make_event,
    make_result,
    make_review_item,
    make_sample,
    make_thumbnail,
)
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.datasets.models import Sample
from webapp.events.models import Event, Thumbnail
from webapp.fleet.models import Bundle, Camera
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks
from webapp.media.models import Blob
from webapp.media.queries import read_blob
from webapp.review.actions import claim_next
from webapp.review.false_alarms import NoCamera, mark_false_alarm, unmark_false_alarm
from webapp.review.models import ReviewItem
from webapp.review.queries import item_for_editor


def do_jobs() -> None:
    load_tasks()
    runner = JobRunner(handlers=HANDLERS, clock=now, lease=LEASE)
    for job in Job.objects.filter(state=Job.State.WAITING):
        runner.run(job.id, job.attempt + 1)


@pytest.fixture
def event(camera: Camera) -> Event:
    """Somebody was in the yard, says the bundle; there is a picture of it."""
    event = make_event(
        camera.organization, agent=camera.agent, camera=camera, kind="in_zone", title="A person"
    )
    make_thumbnail(event, width=8, height=8)
    return event


def test_it_works(event: Event, camera: Camera, bundle: Bundle, olga: User, bob: User) -> None:
    make_result(camera, bundle, captured_at=START - timedelta(seconds=1), detections=b"")
    make_result(camera, bundle, captured_at=START, detections=make_detections(0, score=0.8))
    make_review_item(make_sample(camera, bundle))
    assert mark_false_alarm(event, by=olga, at=START) == "queued"
    do_jobs()
    sample = Sample.objects.get(reason=Sample.Reason.FALSE_ALARM)
    assert (sample.state, sample.event, sample.camera) == ("ready", event, camera)
    assert [found.label for found in unpack(bytes(sample.predictions))] == [0]
    queue = sample.review_item.queue
    first = claim_next(queue=queue, by=bob, at=START)
    assert first == sample.review_item
    shown = item_for_editor(first, by=bob, at=START)
    assert shown.reason == "Marked as a false alarm by olga: A person"


def test_the_events_own_picture_stays(event: Event, bundle: Bundle, olga: User) -> None:
    mark_false_alarm(event, by=olga, at=START)
    do_jobs()
    assert read_blob(Thumbnail.objects.get().blob) == JPEG
    event.refresh_from_db()
    unmark_false_alarm(event, by=olga, at=START)
    assert read_blob(Thumbnail.objects.get().blob) == JPEG


def test_twice_is_once(event: Event, bundle: Bundle, olga: User) -> None:
    assert mark_false_alarm(event, by=olga, at=START) == "queued"
    assert mark_false_alarm(event, by=olga, at=START) == "known"
    assert Sample.objects.count() == 1


def test_taken_back_its_picture_leaves_the_queue(event: Event, bundle: Bundle, olga: User) -> None:
    mark_false_alarm(event, by=olga, at=START)
    do_jobs()
    n_blobs = Blob.objects.count()
    assert unmark_false_alarm(event, by=olga, at=START)
    assert not ReviewItem.objects.exists()
    assert not Sample.objects.exists()
    assert Blob.objects.count() < n_blobs
    assert mark_false_alarm(event, by=olga, at=START) == "queued"


def test_what_a_labeler_has_begun_stays(
    event: Event, bundle: Bundle, olga: User, bob: User
) -> None:
    mark_false_alarm(event, by=olga, at=START)
    do_jobs()
    claim_next(queue=ReviewItem.objects.get().queue, by=bob, at=now())
    assert unmark_false_alarm(event, by=olga, at=now())
    assert ReviewItem.objects.count() == 1


def test_without_a_picture_the_nearest_sample_stands_for_it(
    camera: Camera, bundle: Bundle, olga: User
) -> None:
    event = make_event(camera.organization, agent=camera.agent, camera=camera)
    for seconds in (-60, -8, 4):
        make_sample(camera, bundle, captured_at=START + timedelta(seconds=seconds))
    assert mark_false_alarm(event, by=olga, at=START) == "queued"
    sample = Sample.objects.get(event=event)
    assert sample.captured_at == START + timedelta(seconds=4)
    assert sample.review_item.priority > 1
    assert unmark_false_alarm(event, by=olga, at=START)
    sample = Sample.objects.get(pk=sample.pk)
    assert (sample.note, sample.event) == ("", None)
    assert sample.review_item.priority <= 1


def test_without_any_picture_that_is_said(camera: Camera, olga: User) -> None:
    event = make_event(camera.organization, agent=camera.agent, camera=camera)
    assert mark_false_alarm(event, by=olga, at=START) == "no_picture"
    event.refresh_from_db()
    assert event.false_alarm_by == olga


def test_what_no_camera_saw_is_no_false_alarm(camera: Camera, olga: User) -> None:
    event = make_event(camera.organization, agent=camera.agent)
    with pytest.raises(NoCamera):
        mark_false_alarm(event, by=olga, at=START)
    event.refresh_from_db()
    assert event.false_alarm_at is None


def test_a_picture_that_is_none_harms_nobody(event: Event, bundle: Bundle, olga: User) -> None:
    assert event.thumbnail is not None
    Thumbnail.objects.update(blob=make_blob(event.organization, b"\xff\xd8\xff\xe0 no picture"))
    event = Event.objects.select_related("thumbnail__blob", "camera").get()
    mark_false_alarm(event, by=olga, at=START)
    do_jobs()
    assert Sample.objects.get().state == "broken"
