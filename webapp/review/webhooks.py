"""Telling other people's programs what labelers settled: signed, and tried again when they fail."""

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import salted_hmac
from msgspec import Struct

from webapp.accounts.models import Organization, User
from webapp.common.outward import check_address
from webapp.datasets.models import Annotation
from webapp.jobs.actions import enqueue_job
from webapp.jobs.models import Job
from webapp.review.models import ReviewItem, Webhook

SEND_WEBHOOK: Final = "send_webhook"
MAX_WEBHOOKS: Final = 10
"""Of an organization."""
_MOST_LOOKED_AT: Final = 1000
"""Of an organization's jobs that told somebody, the newest."""
_UNFINISHED: Final = (Job.State.WAITING, Job.State.RUNNING)


class Settled(Struct, frozen=True, kw_only=True):
    """What an address is told: the truth about a picture, as labelers settled it."""

    type: str = "item.settled"
    delivery: UUID
    """The same when it is told again."""
    at: datetime
    item: UUID
    queue: UUID
    sample: UUID
    state: str
    """`done`, or `ambiguous`: nobody can tell."""
    reason: str
    """Why labelers were asked."""
    by: str | None
    """Whose work it is; null where several agreed."""
    boxes: list[dict[str, object]]
    classes: list[str]


class Tested(Struct, frozen=True, kw_only=True):
    """What an address is told when somebody wants to see whether it listens."""

    type: str = "test"
    delivery: UUID
    at: datetime


class TooManyWebhooks(Exception):
    """An organization has as many as it may."""

    def __str__(self) -> str:
        return f"An organization has at most {MAX_WEBHOOKS}."


class CannotTest(Exception):
    """A test of this address is not over, or it is switched off; the text says which."""


def add_webhook(*, organization: Organization, url: str, by: User, at: datetime) -> Webhook:
    """Have an address told of every settled item; raise `BadAddress` or `TooManyWebhooks`."""
    check_address(url, may_be_private=settings.WEBHOOKS_MAY_BE_PRIVATE)
    if Webhook.objects.filter(organization=organization).count() >= MAX_WEBHOOKS:
        raise TooManyWebhooks
    return Webhook.objects.create(organization=organization, url=url, created_by=by, created_at=at)


def secret_of(webhook: Webhook) -> str:
    """Return what its messages are signed with; made of the hub's own secret, kept nowhere."""
    return salted_hmac("webapp.review.webhooks", str(webhook.pk), algorithm="sha256").hexdigest()


def signature_of(webhook: Webhook, body: bytes, *, at: datetime) -> str:
    """Return `t=SECONDS,v1=HEX`: an HMAC-SHA256 of `SECONDS.BODY`, so that none can be replayed."""
    seconds = int(at.timestamp())
    signed = hmac.new(secret_of(webhook).encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={signed.hexdigest()}"


def tell_settled(item: ReviewItem, *, at: datetime) -> None:
    """Have every active address told, once the transaction is committed, by a worker."""
    hooks = Webhook.objects.filter(organization=item.organization_id, is_active=True)
    for webhook in hooks.select_related("organization"):
        annotation = Annotation.objects.filter(sample=item.sample_id, is_current=True).first()
        enqueue_job(
            kind=SEND_WEBHOOK,
            title=f"Telling {webhook.url}"[:200],
            arguments={
                "webhook": str(webhook.pk),
                "item": str(item.pk),
                "annotation": None if annotation is None else str(annotation.pk),
                "state": item.state,
                "at": at.isoformat(),
            },
            organization=webhook.organization,
            by=None,
            at=at,
        )


@transaction.atomic
def send_test(webhook: Webhook, *, by: User, at: datetime) -> Job:
    """Have an address told that this is a test, once; raise `CannotTest`."""
    webhook = Webhook.objects.select_for_update(of=("self",)).get(pk=webhook.pk)
    if not webhook.is_active:
        raise CannotTest("It is switched off.")
    mine = Job.objects.filter(organization=webhook.organization_id, kind=SEND_WEBHOOK)
    under_way = mine.filter(state__in=_UNFINISHED, arguments__webhook=str(webhook.pk))
    if under_way.filter(arguments__is_test=True).exists():
        raise CannotTest("A test of it is under way.")
    return enqueue_job(
        kind=SEND_WEBHOOK,
        title=f"Testing {webhook.url}"[:200],
        arguments={"webhook": str(webhook.pk), "is_test": True, "at": at.isoformat()},
        organization=webhook.organization,
        by=by,
        at=at,
    )


def last_deliveries(webhooks: Collection[Webhook], *, most: int) -> dict[UUID, list[Job]]:
    """Return the newest jobs that told each of these addresses lately, newest first."""

    def told(webhook: Webhook) -> QuerySet[Job]:
        jobs = Job.objects.filter(organization=webhook.organization_id, kind=SEND_WEBHOOK)
        lately = jobs.order_by("-pk").values("pk")[:_MOST_LOOKED_AT]
        theirs = Job.objects.filter(pk__in=lately, arguments__webhook=str(webhook.pk))
        return theirs.order_by("-pk")[:most]

    return {webhook.pk: list(told(webhook)) for webhook in webhooks}


def message(delivery: UUID, arguments: dict[str, object]) -> bytes | None:
    """Return what to tell, as JSON; None where the item is not there any more."""
    if arguments.get("is_test"):
        at = datetime.fromisoformat(str(arguments["at"]))
        return msgspec.json.encode(Tested(delivery=delivery, at=at))
    item = ReviewItem.objects.filter(pk=str(arguments["item"])).first()
    if item is None:
        return None
    told_of = Annotation.objects.filter(pk=str(arguments["annotation"] or UUID(int=0)))
    annotation = told_of.select_related("author").first()
    author = annotation.author if annotation else None
    told = Settled(
        delivery=delivery,
        at=datetime.fromisoformat(str(arguments["at"])),
        item=item.pk,
        queue=item.queue_id,
        sample=item.sample_id,
        state=str(arguments["state"]),
        reason=item.reason,
        by=author.get_username() if author else None,
        boxes=annotation.boxes if annotation else [],
        classes=annotation.classes if annotation else [],
    )
    return msgspec.json.encode(told)


def write_outcome(webhook: Webhook, *, status: int | None, error: str, at: datetime) -> None:
    """Write how the last try went, for whoever looks after it."""
    Webhook.objects.filter(pk=webhook.pk).update(
        told_at=at,
        status=status,
        error=error[:300],
        n_told=F("n_told") + (0 if error else 1),
        n_failures=F("n_failures") + 1 if error else 0,
    )
