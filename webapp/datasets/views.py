"""Pictures of samples, for members of the organization that owns them."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from webapp.accounts.requests import actor_of
from webapp.datasets.models import Sample
from webapp.media.serving import blob_response


@require_safe
def picture(request: HttpRequest, sample_id: UUID) -> HttpResponseBase:
    """Answer with the sample's picture, once a worker has checked it."""
    sample = _ready_sample(request, sample_id)
    return blob_response(request, sample.picture, name=f"{sample.id}.jpg")


@require_safe
def thumbnail(request: HttpRequest, sample_id: UUID) -> HttpResponseBase:
    """Answer with a small picture of the sample."""
    sample = _ready_sample(request, sample_id)
    if sample.thumbnail is None:
        raise Http404
    return blob_response(request, sample.thumbnail, name=f"{sample.id}-small.jpg")


def _ready_sample(request: HttpRequest, sample_id: UUID) -> Sample:
    # What nobody has looked into is not shown: not yet read, or not readable.
    samples = Sample.objects.for_actor(actor_of(request)).filter(state=Sample.State.READY)
    return get_object_or_404(samples.select_related("picture", "thumbnail"), pk=sample_id)
