"""From an offered frame to a picture that people see: kept, checked, cleaned, queued."""

import cv2
import numpy as np
import pytest

from processing.wire.messages import SampleOffered
from tests.factories import START, Clock, make_detections
from webapp.datasets.actions import keep_sample
from webapp.datasets.models import Sample
from webapp.events.models import Event
from webapp.fleet.models import Bundle, Camera
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks
from webapp.media.models import Blob
from webapp.media.queries import read_blob
from webapp.review.models import ReviewItem


def jpeg(width: int = 640, height: int = 272) -> bytes:
    gradient = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    return cv2.imencode(".jpg", gradient)[1].tobytes()


def with_exif(data: bytes) -> bytes:
    exif = b"Exif\0\0GPS 52.37N 4.90E"
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + data[2:]


def keep(
    camera: Camera, bundle: Bundle, data: bytes, *, seq: int = 1, width: int = 640
) -> Sample | None:
    offered = SampleOffered(
        camera_id=camera.id,
        captured_at=START,
        bundle=bytes.fromhex(bundle.digest),
        detections=make_detections(0, score=0.3),
        reason="low_confidence",
        score=0.3,
        width=width,
        height=272,
        jpeg=data,
    )
    return keep_sample(
        agent=camera.agent,
        camera=camera,
        bundle=bundle,
        epoch=7,
        seq=seq,
        offered=offered,
        at=START,
    )


def work(clock: Clock) -> None:
    """Do all that waits, as a worker does."""
    load_tasks()
    runner = JobRunner(handlers=HANDLERS, clock=clock.now, lease=LEASE)
    for job in Job.objects.filter(state=Job.State.WAITING).order_by("id"):
        runner.run(job.id, job.attempt + 1)
    assert not Job.objects.exclude(state=Job.State.DONE).exists()


def kept(camera: Camera, bundle: Bundle, data: bytes, clock: Clock, *, width: int = 640) -> Sample:
    sample = keep(camera, bundle, data, width=width)
    assert sample is not None
    work(clock)
    sample.refresh_from_db()
    return sample


def test_it_works(camera: Camera, bundle: Bundle, clock: Clock) -> None:
    data = jpeg()
    sample = kept(camera, bundle, data, clock)
    assert sample.state == Sample.State.READY
    assert read_blob(sample.picture) == data
    assert sample.thumbnail is not None
    small = cv2.imdecode(np.frombuffer(read_blob(sample.thumbnail), np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert small.shape == (136, 320, 3)
    assert ReviewItem.objects.get().sample == sample


def test_the_same_entry_again_is_the_same_sample(camera: Camera, bundle: Bundle) -> None:
    assert keep(camera, bundle, jpeg()) == keep(camera, bundle, jpeg())
    assert (Sample.objects.count(), Job.objects.count()) == (1, 1)


def test_the_same_picture_twice_is_two_samples(
    camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    keep(camera, bundle, with_exif(jpeg()), seq=1)
    keep(camera, bundle, with_exif(jpeg()), seq=2)
    work(clock)
    assert Sample.objects.filter(state=Sample.State.READY).count() == 2


def test_where_a_picture_was_taken_is_forgotten(
    camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    as_sent = with_exif(jpeg())
    sample = kept(camera, bundle, as_sent, clock)
    assert b"GPS" not in read_blob(sample.picture)
    assert not Blob.objects.filter(size=len(as_sent)).exists()


@pytest.mark.parametrize("data", [b"GIF89a", b"\xff\xd8\xff", b"<svg onload=alert(1)>", b"    "])
def test_what_cannot_be_a_jpeg_is_not_kept(camera: Camera, bundle: Bundle, data: bytes) -> None:
    assert keep(camera, bundle, data) is None
    assert not Sample.objects.exists()


def test_what_looks_like_a_jpeg_and_is_none_is_told_to_a_person(
    camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    sample = kept(camera, bundle, b"\xff\xd8\xff" + b"\0" * 500 + b"\xff\xd9", clock)
    assert sample.state == Sample.State.BROKEN
    event = Event.objects.get()
    assert (event.kind, event.camera) == ("sample.broken", camera)
    assert not ReviewItem.objects.exists()


def test_a_picture_of_another_size_than_it_was_said_to_be_is_broken(
    camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    sample = kept(camera, bundle, jpeg(), clock, width=1280)
    assert sample.state == Sample.State.BROKEN
    assert "640 x 272" in Event.objects.get().detail


def test_a_bomb_is_not_decoded(camera: Camera, bundle: Bundle, clock: Clock) -> None:
    bomb = bytearray(jpeg())
    frame = bomb.index(b"\xff\xc0")
    bomb[frame + 5 : frame + 9] = (60000).to_bytes(2) + (60000).to_bytes(2)
    sample = kept(camera, bundle, bytes(bomb), clock)
    assert sample.state == Sample.State.BROKEN
    assert "pixels are opened" in Event.objects.get().detail


def test_what_hides_behind_a_picture_does_not_survive(
    camera: Camera, bundle: Bundle, clock: Clock
) -> None:
    polyglot = jpeg() + b"<script>alert(1)</script>\xff\xd9"
    sample = kept(camera, bundle, polyglot, clock)
    assert sample.state == Sample.State.READY
    assert b"script" not in read_blob(sample.picture)


def test_checking_twice_makes_one_item(camera: Camera, bundle: Bundle, clock: Clock) -> None:
    kept(camera, bundle, jpeg(), clock)
    Job.objects.update(state=Job.State.WAITING)
    work(clock)
    assert ReviewItem.objects.count() == 1
