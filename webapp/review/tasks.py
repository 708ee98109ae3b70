"""What becomes of a sample once its picture is looked into. Loaded by workers alone."""

from processing.media.cleaning import clean_picture
from processing.media.jpeg import BadPicture
from webapp.datasets.actions import CHECK_SAMPLE, accept_picture, refuse_picture
from webapp.datasets.models import Sample
from webapp.jobs.attempts import Attempt
from webapp.jobs.registry import does
from webapp.media.actions import put_blob
from webapp.media.models import Blob
from webapp.media.queries import BlobLost, read_blob
from webapp.review.actions import open_item


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
    picture, thumbnail = _put(cleaned.jpeg, attempt), _put(cleaned.thumbnail, attempt)
    with attempt.finishing():
        accept_picture(sample, picture=picture, thumbnail=thumbnail)
        open_item(sample=sample, at=attempt.clock())


def _put(jpeg: bytes, attempt: Attempt) -> Blob:
    return put_blob(
        jpeg,
        content_type="image/jpeg",
        organization=attempt.organization,
        at=attempt.clock(),
    )
