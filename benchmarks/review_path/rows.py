"""Work for a labeler: `python -m … N` fills a hub's queue and prints the labeler's session."""

import sys

from webapp.env import default_settings_module

default_settings_module()

import django  # noqa: E402 - after the settings are named

django.setup()

from django.core.management import call_command  # noqa: E402 - after Django is set up
from django.test import Client  # noqa: E402 - same

from benchmarks.review_path.pictures import (  # noqa: E402 - same
    HEIGHT,
    LABELS,
    WIDTH,
    Picture,
    made_pictures,
)
from processing.wire.packed import PackedDetection, pack  # noqa: E402 - same
from webapp.accounts.models import Membership, Organization, Role, User  # noqa: E402 - same
from webapp.common.clock import now  # noqa: E402 - same
from webapp.datasets.models import Sample  # noqa: E402 - same
from webapp.fleet.models import Agent, Bundle, Camera, Site  # noqa: E402 - same
from webapp.media.actions import put_blob  # noqa: E402 - same
from webapp.review.models import ReviewItem, ReviewQueue  # noqa: E402 - same


def fill_queue(n: int) -> str:
    """Put `n` pictures into a queue; return the session of who reviews them."""
    organization = Organization.objects.create(name="Benchmark")
    site = Site.objects.create(organization=organization, name="Here")
    agent = Agent.objects.create(
        organization=organization, site=site, name="Agent", public_key=bytes(32), enrolled_at=now()
    )
    camera = Camera.objects.create(
        organization=organization, agent=agent, name="Camera", source="usb:0"
    )
    bundle = Bundle.objects.create(
        organization=organization,
        digest="0" * 32,
        name="Bundle",
        version="1",
        labels=list(LABELS),
        first_seen_at=now(),
    )
    queue = ReviewQueue.objects.create(organization=organization, name="Doubtful pictures")
    for number, picture in enumerate(made_pictures(n)):
        _open(queue, _sample(camera, bundle, picture, number), priority=1 - number / n)
    user = User.objects.create_user(username="labeler", password=None)
    Membership.objects.create(organization=organization, user=user, role=Role.LABELER)
    client = Client()
    client.force_login(user)
    session_key = client.session.session_key
    assert session_key is not None
    return session_key


def _sample(camera: Camera, bundle: Bundle, picture: Picture, number: int) -> Sample:
    seen = (PackedDetection(*box.xyxy, box.score, box.label, 0) for box in picture.seen)
    return Sample.objects.create(
        organization_id=camera.organization_id,
        agent=camera.agent,
        camera=camera,
        bundle=bundle,
        epoch=1,
        seq=number + 1,
        captured_at=now(),
        received_at=now(),
        reason=Sample.Reason.LOW_CONFIDENCE,
        score=min(box.score for box in picture.seen),
        width=WIDTH,
        height=HEIGHT,
        predictions=pack(seen),
        state=Sample.State.READY,
        picture=put_blob(
            picture.jpeg,
            content_type="image/jpeg",
            organization=camera.organization,
            at=now(),
        ),
    )


def _open(queue: ReviewQueue, sample: Sample, *, priority: float) -> None:
    ReviewItem.objects.create(
        organization_id=queue.organization_id,
        queue=queue,
        sample=sample,
        priority=priority,
        created_at=sample.received_at,
        why="A made picture",
    )


if __name__ == "__main__":
    call_command("migrate", interactive=False, verbosity=0)
    print(fill_queue(int(sys.argv[1])))
