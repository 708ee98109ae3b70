"""Rows to test with, made by plain functions: what a test does not name has a sensible value."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from processing.wire.packed import PackedDetection, pack
from webapp.accounts.models import Membership, Organization, Role, User
from webapp.datasets.models import Sample
from webapp.events.models import Clip, Event, Thumbnail
from webapp.fleet.models import Agent, Bundle, Camera, Site
from webapp.media.models import Blob
from webapp.results.models import Result
from webapp.results.partitions import ensure_days
from webapp.review.actions import open_item
from webapp.review.models import ReviewItem

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""When tests begin, by the `clock` fixture and as the default of every instant."""

PASSWORD = "correct horse battery staple"

# 8 x 8 grey pixels, 159 bytes: a JPEG that decoders accept.
JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300"
    + "ff" * 64
    + "ffc0000b080008000801011100ffc40014000100000000000000000000000000000000"
    "ffc40014100100000000000000000000000000000000ffda0008010100003f003fffd9"
)

_numbers = count(1)


class Clock:
    """A clock that moves only when told."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> datetime:
        """Move on by `timedelta(**by)` and return the new instant."""
        self._now += timedelta(**by)
        return self._now


def make_organization(name: str = "") -> Organization:
    return Organization.objects.create(name=name or f"Organization {next(_numbers)}")


def make_user(
    name: str = "",
    *,
    organization: Organization | None = None,
    role: Role = Role.ADMIN,
    password: str | None = None,
) -> User:
    """Return a user; without `password` one who cannot log in by it (use `force_login`)."""
    user = User(username=name or f"user{next(_numbers)}")
    user.set_password(password)
    user.save()
    if organization is not None:
        Membership.objects.create(user=user, organization=organization, role=role)
    return user


def make_site(organization: Organization, **fields: Any) -> Site:
    fields.setdefault("name", f"Site {next(_numbers)}")
    return Site.objects.create(organization=organization, **fields)


def agent_key(agent_id: UUID) -> Ed25519PrivateKey:
    """Return the private key of a test's agent."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(agent_id.bytes).digest())


def make_agent(site: Site, **fields: Any) -> Agent:
    fields.setdefault("name", f"Agent {next(_numbers)}")
    agent = Agent(site=site, organization=site.organization, enrolled_at=START, **fields)
    agent.public_key = agent_key(agent.id).public_key().public_bytes_raw()
    agent.save()
    return agent


def make_camera(agent: Agent, **fields: Any) -> Camera:
    fields.setdefault("name", f"Camera {next(_numbers)}")
    fields.setdefault("source", "file:street.mp4")
    return Camera.objects.create(agent=agent, organization=agent.organization, **fields)


def make_bundle(organization: Organization, **fields: Any) -> Bundle:
    fields.setdefault("digest", f"{next(_numbers):032x}")
    fields.setdefault("name", "nanodet-g")
    fields.setdefault("version", "1")
    fields.setdefault("labels", ["person", "bicycle", "car"])
    fields.setdefault("first_seen_at", START)
    return Bundle.objects.create(organization=organization, **fields)


def make_detections(*labels: int, score: float = 0.9) -> bytes:
    """Return packed detections of these labels, side by side, tracked."""
    return pack(
        PackedDetection(0.1 + 0.05 * i, 0.2, 0.15 + 0.05 * i, 0.6, score, label, i + 1)
        for i, label in enumerate(labels)
    )


def make_result(camera: Camera, bundle: Bundle, **fields: Any) -> Result:
    fields.setdefault("epoch", 1)
    fields.setdefault("seq", next(_numbers))
    fields.setdefault("captured_at", START)
    fields.setdefault("received_at", START)
    fields.setdefault("latency_ms", 40.0)
    fields.setdefault("detections", make_detections(0, 2))
    ensure_days([fields["captured_at"].date()], today=START.date())
    return Result.objects.create(
        organization=camera.organization,
        agent=camera.agent,
        camera=camera,
        bundle=bundle,
        n_detections=len(fields["detections"]) // 16,
        **fields,
    )


def make_event(organization: Organization, **fields: Any) -> Event:
    fields.setdefault("kind", "test")
    fields.setdefault("severity", Event.Severity.INFO)
    fields.setdefault("title", "Something happened")
    fields.setdefault("occurred_at", START)
    fields.setdefault("received_at", START)
    return Event.objects.create(organization=organization, **fields)


def make_clip(event: Event, **fields: Any) -> Clip:
    """Return a clip of an event that an agent raised; still on the agent."""
    assert event.agent is not None
    fields.setdefault("clip_id", uuid4())
    fields.setdefault("begins_at", event.occurred_at)
    fields.setdefault("seconds", 12.0)
    fields.setdefault("n_bytes", 3_400_000)
    return Clip.objects.create(
        organization=event.organization, agent=event.agent, event=event, **fields
    )


def make_thumbnail(event: Event, **fields: Any) -> Thumbnail:
    """Return the picture of an event that an agent raised."""
    assert event.agent is not None
    if event.event_id is None:
        event.event_id = uuid4()
    if "blob" not in fields:
        fields["blob"] = make_blob(event.organization)
    fields = {"score": 0.8, "captured_at": START, "width": 640, "height": 360} | fields
    event.thumbnail = Thumbnail.objects.create(
        organization=event.organization, agent=event.agent, event_id=event.event_id, **fields
    )
    event.save()
    return event.thumbnail


def make_blob(
    organization: Organization, content: bytes = JPEG, *, content_type: str = "image/jpeg"
) -> Blob:
    """Return a picture (or another file) in the store."""
    blob, is_new = Blob.objects.get_or_create(
        organization=organization,
        sha256=hashlib.sha256(content).hexdigest(),
        defaults={"content_type": content_type, "size": len(content), "created_at": START},
    )
    if is_new or not default_storage.exists(blob.path):
        default_storage.save(blob.path, ContentFile(content))
    return blob


def make_sample(camera: Camera, bundle: Bundle, **fields: Any) -> Sample:
    fields.setdefault("epoch", 1)
    fields.setdefault("seq", next(_numbers))
    fields.setdefault("captured_at", START)
    fields.setdefault("received_at", START)
    fields.setdefault("reason", Sample.Reason.LOW_CONFIDENCE)
    fields.setdefault("score", 0.33)
    fields.setdefault("width", 640)
    fields.setdefault("height", 272)
    fields.setdefault("predictions", make_detections(0, 1, score=0.33))
    fields.setdefault("state", Sample.State.READY)
    if "picture" not in fields:
        fields["picture"] = make_blob(camera.organization)
    return Sample.objects.create(
        organization=camera.organization, agent=camera.agent, camera=camera, bundle=bundle, **fields
    )


def make_review_item(sample: Sample, **fields: Any) -> ReviewItem:
    """Return the sample's item in its organization's first queue."""
    item = open_item(sample=sample, at=fields.pop("at", START))
    for name, value in fields.items():
        setattr(item, name, value)
    item.save()
    return item
