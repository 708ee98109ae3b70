"""Samples become work once looked into, and what is settled is told. Loaded by workers alone."""

from http import HTTPStatus
from typing import Final

from django.conf import settings

from processing.media.cleaning import clean_picture
from processing.media.jpeg import BadPicture, decode_jpeg
from processing.vision.embeddings import distance_to_nearest
from processing.vision.looks import look_of, novelty
from webapp.common.outward import BadAddress, NoAnswer, post
from webapp.datasets.actions import (
    CHECK_SAMPLE,
    CONSIDER_SAMPLES,
    accept_picture,
    refuse_picture,
)
from webapp.datasets.models import Sample
from webapp.jobs.attempts import Attempt
from webapp.jobs.interruptions import CannotBeDone, MayPass
from webapp.jobs.registry import does
from webapp.media.actions import put_blob
from webapp.media.models import Blob
from webapp.media.queries import BlobLost, read_blob
from webapp.review.appraisal import Novelty
from webapp.review.evidence import labelled_appearances, labelled_embeddings
from webapp.review.models import Webhook
from webapp.review.picking import consider_sample
from webapp.review.webhooks import SEND_WEBHOOK, message, signature_of, write_outcome

_MAY_PASS: Final = {
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""Answers after which it is worth trying again; so is a server's own error."""


@does(CHECK_SAMPLE)
def check_sample(attempt: Attempt) -> None:
    """Make sure that a kept picture is one, clean it, and give it to the labelers."""
    samples = Sample.objects.select_related("picture", "camera", "agent", "organization")
    sample = samples.filter(pk=str(attempt.arguments["sample"])).first()
    if sample is None or sample.state != Sample.State.RECEIVED:
        return  # deleted meanwhile, or done by an attempt that could not say so
    try:
        cleaned = clean_picture(read_blob(sample.picture), width=sample.width, height=sample.height)
    except (BadPicture, BlobLost) as reason:
        with attempt.finishing():
            refuse_picture(sample, reason=str(reason), at=attempt.clock())
        return
    look = look_of(decode_jpeg(cleaned.thumbnail))
    picture, thumbnail = _put(cleaned.jpeg, attempt), _put(cleaned.thumbnail, attempt)
    with attempt.finishing():
        accept_picture(
            sample,
            picture=picture,
            thumbnail=thumbnail,
            fingerprint=look.fingerprint,
            appearance=look.appearance,
        )
        consider_sample(
            sample=sample, novelty=_novelty_of(sample, look.appearance), at=attempt.clock()
        )


@does(CONSIDER_SAMPLES)
def consider_samples(attempt: Attempt) -> None:
    """Give samples to the labelers if what is newly known of them is a reason to."""
    wanted = attempt.arguments["samples"]
    assert isinstance(wanted, list)
    samples = Sample.objects.filter(
        organization=attempt.organization, pk__in=wanted, state=Sample.State.READY
    )
    unlabelled = samples.exclude(annotations__is_current=True)
    rows = unlabelled.select_related("camera", "agent", "bundle", "organization")
    for sample in rows.order_by("captured_at", "pk"):
        attempt.step()
        consider_sample(sample=sample, at=attempt.clock())


@does(SEND_WEBHOOK)
def send_webhook(attempt: Attempt) -> None:
    """Tell an address what labelers settled; what may pass is tried again later."""
    webhook = Webhook.objects.filter(pk=str(attempt.arguments["webhook"]), is_active=True).first()
    body = message(attempt.job_id, attempt.arguments)
    if webhook is None or body is None:
        return  # deleted or switched off meanwhile
    at = attempt.clock()
    may_pass = CannotBeDone if attempt.arguments.get("is_test") else MayPass  # one wants to know
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Farwatch",
        "Farwatch-Delivery": str(attempt.job_id),
        "Farwatch-Signature": signature_of(webhook, body, at=at),
    }
    try:
        status = post(webhook.url, body, headers, may_be_private=settings.WEBHOOKS_MAY_BE_PRIVATE)
    except BadAddress as error:
        write_outcome(webhook, status=None, error=str(error), at=at)
        raise CannotBeDone(str(error)) from error
    except NoAnswer as error:
        write_outcome(webhook, status=None, error=str(error), at=at)
        raise may_pass(str(error)) from error
    is_well = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    words = "" if is_well else f"It answered {status}."
    write_outcome(webhook, status=status, error=words, at=at)
    if not is_well:
        raise may_pass(words) if status in _MAY_PASS or status >= 500 else CannotBeDone(words)  # noqa: PLR2004 - a server's own error
    with attempt.finishing() as result:
        result["status"] = status


def _novelty_of(sample: Sample, appearance: bytes) -> Novelty | None:
    """Return how new a picture is to its network, or else how new it looks; None: nobody knows."""
    if sample.embedding is not None and (embeddings := labelled_embeddings(sample)):
        far = distance_to_nearest(bytes(sample.embedding), embeddings)
        return Novelty(far, is_by_network=True)
    if appearances := labelled_appearances(sample):
        return Novelty(novelty(appearance, appearances))
    return None


def _put(jpeg: bytes, attempt: Attempt) -> Blob:
    return put_blob(
        jpeg,
        content_type="image/jpeg",
        organization=attempt.organization,
        at=attempt.clock(),
    )
