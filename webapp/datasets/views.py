"""Pictures of samples, for members of the organization that owns them; files to import."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.problems import problem, problem_http
from webapp.datasets.actions import NotASet, drop_sent, request_import
from webapp.datasets.models import Sample
from webapp.datasets.uploads import BadUpload, read_token
from webapp.media.actions import put_chunks
from webapp.media.serving import blob_response

_CHUNK_BYTES: Final = 256 * 1024


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


@require_POST
@requires(Role.LABELER)
def upload_import(request: HttpRequest, token: str) -> HttpResponse:
    """Take a file to a path that was given to this very person, and have it imported."""
    user = actor_of(request)
    try:
        upload = read_token(token)
        organization = chosen_organization(
            user, Role.LABELER, organization_id=upload.organization_id
        )
    except (BadUpload, ValidationError) as error:
        raise Http404 from error
    if upload.user_id != user.pk:
        raise Http404
    file = put_chunks(
        _chunks(request),
        content_type="application/octet-stream",
        organization=organization,
        at=now(),
    )
    try:
        job = request_import(file=file, name=upload.name, by=user, at=now())
    except NotASet as error:
        drop_sent(file)
        return problem_http(problem(HTTPStatus.BAD_REQUEST, code="not-a-set", detail=str(error)))
    answer = JsonResponse({"id": str(job.id), "state": job.state}, status=HTTPStatus.ACCEPTED)
    answer["Location"] = reverse("import-detail", args=[job.id])
    return answer


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(_CHUNK_BYTES):
        yield chunk


def _ready_sample(request: HttpRequest, sample_id: UUID) -> Sample:
    # What nobody has looked into is not shown: not yet read, or not readable.
    samples = Sample.objects.for_actor(actor_of(request)).filter(state=Sample.State.READY)
    return get_object_or_404(samples.select_related("picture", "thumbnail"), pk=sample_id)
