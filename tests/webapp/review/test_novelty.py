"""How new a picture is: to the network that judged it, or else by its looks."""

import cv2
import numpy as np
import pytest

from processing.vision.looks import look_of
from processing.wire.messages import SampleOffered
from tests.factories import (
    START,
    Clock,
    make_agent,
    make_bundle,
    make_camera,
    make_detections,
    make_organization,
    make_sample,
    make_site,
)
from webapp.accounts.models import Organization
from webapp.datasets.actions import keep_sample
from webapp.datasets.models import Annotation, Sample
from webapp.fleet.models import Bundle, Camera
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks
from webapp.review.models import ReviewItem, ReviewQueue

NEAR, FAR = (1.0, 0.1), (0.0, 1.0)
N_LABELLED = 20


@pytest.fixture
def queue(acme: Organization) -> ReviewQueue:
    policy = {"reasons": ["novelty"], "alike_bits": 0}
    return ReviewQueue.objects.create(organization=acme, name="New", policy=policy)


def packed(values: tuple[float, ...]) -> bytes:
    return np.array(values, "<f2").tobytes()


def picture(shade: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((64, 96, 3), shade, np.uint8)


def label(
    camera: Camera, bundle: Bundle, *, embedding: bytes | None, n: int = N_LABELLED, shade: int = 20
) -> None:
    appearance = look_of(picture(shade)).appearance
    for _ in range(n):
        sample = make_sample(camera, bundle, embedding=embedding, appearance=appearance)
        Annotation.objects.create(organization=sample.organization, sample=sample, created_at=START)


def judge(
    camera: Camera, bundle: Bundle, clock: Clock, *, embedding: bytes, shade: int = 20
) -> Sample:
    """Return a sample as an agent offers it, once the worker has looked into it."""
    jpeg = cv2.imencode(".jpg", picture(shade))[1].tobytes()
    offered = SampleOffered(
        camera_id=camera.id,
        captured_at=START,
        bundle=bytes.fromhex(bundle.digest),
        detections=make_detections(0, score=0.9),
        reason="low_confidence",
        score=0.3,
        width=96,
        height=64,
        jpeg=jpeg,
        embedding=embedding,
    )
    sample = keep_sample(
        agent=camera.agent, camera=camera, bundle=bundle, epoch=9, seq=1, offered=offered, at=START
    )
    assert sample is not None
    load_tasks()
    for job in Job.objects.filter(state=Job.State.WAITING):
        JobRunner(handlers=HANDLERS, clock=clock.now, lease=LEASE).run(job.id, job.attempt + 1)
    sample.refresh_from_db()
    assert sample.state == Sample.State.READY
    return sample


def test_what_is_far_to_the_network_is_picked_however_it_looks(
    camera: Camera, bundle: Bundle, clock: Clock, queue: ReviewQueue
) -> None:
    label(camera, bundle, embedding=packed((1.0, 0.0)))
    judge(camera, bundle, clock, embedding=packed(FAR))
    item = ReviewItem.objects.get()
    assert (item.queue, item.reason, item.figure) == (queue, "novelty", 1.0)
    figures = "1.000 from the nearest, 0.050 is far"
    assert item.why == f"Unlike all that is labelled, to the network: {figures}"


def test_what_is_near_to_the_network_is_not_picked_however_it_looks(
    camera: Camera, bundle: Bundle, clock: Clock, queue: ReviewQueue
) -> None:
    label(camera, bundle, embedding=packed((1.0, 0.0)))
    sample = judge(camera, bundle, clock, embedding=packed(NEAR), shade=240)
    assert sample.passed_over == "No queue's policy asks for it"


@pytest.mark.parametrize("embedding", [None, packed(NEAR)])
def test_with_few_embeddings_of_the_bundle_looks_decide(
    camera: Camera, bundle: Bundle, clock: Clock, queue: ReviewQueue, embedding: bytes | None
) -> None:
    label(camera, bundle, embedding=None)
    label(camera, bundle, embedding=packed((1.0, 0.0)), n=N_LABELLED - 1)
    label(camera, make_bundle(camera.organization), embedding=packed((1.0, 0.0)))
    judge(camera, bundle, clock, embedding=embedding or b"", shade=240)
    assert ReviewItem.objects.get().why.startswith("Unlike all that is labelled, by its looks: 0.")


def test_what_others_labelled_does_not_count(
    camera: Camera, bundle: Bundle, clock: Clock, queue: ReviewQueue
) -> None:
    stranger = make_agent(make_site(make_organization()))
    theirs = make_bundle(stranger.organization, digest=bundle.digest)
    label(make_camera(stranger), theirs, embedding=packed(FAR))
    label(camera, bundle, embedding=packed((1.0, 0.0)))
    judge(camera, bundle, clock, embedding=packed(FAR))
    assert ReviewItem.objects.get().figure == 1.0


def test_an_embedding_of_another_length_is_not_compared(
    camera: Camera, bundle: Bundle, clock: Clock, queue: ReviewQueue
) -> None:
    label(camera, bundle, embedding=packed((1.0, 0.0, 0.0)))
    sample = judge(camera, bundle, clock, embedding=packed(FAR))
    assert sample.passed_over == "No queue's policy asks for it"
