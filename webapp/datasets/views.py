"""Pictures of samples, for members of the organization that owns them; files to import."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.problems import problem, problem_http
from webapp.datasets.actions import IMPORT_SET
from webapp.datasets.incoming import (
    NotASet,
    NotAwaited,
    begin_import,
    check_awaited,
    drop_sent,
    withdraw_import,
)
from webapp.datasets.models import Sample
from webapp.datasets.uploads import VALID_FOR, BadUpload, read_token
from webapp.jobs.models import Job
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
    """Take the file of an import from the very person who announced it, and begin."""
    user = actor_of(request)
    try:
        import_id = read_token(token, max_age=2 * VALID_FOR)  # it was newer when the file began
    except BadUpload as error:
        raise Http404 from error
    own = Job.objects.for_actor(user, Role.LABELER).filter(kind=IMPORT_SET, created_by=user)
    job = get_object_or_404(own.select_related("organization"), pk=import_id)
    try:
        job = _begun(check_awaited(job), request)
    except NotAwaited as error:
        return problem_http(problem(HTTPStatus.CONFLICT, code="not-awaited", detail=str(error)))
    except NotASet as error:
        withdraw_import(job, at=now())
        return problem_http(problem(HTTPStatus.BAD_REQUEST, code="not-a-set", detail=str(error)))
    answer = JsonResponse({"id": str(job.id), "state": job.state}, status=HTTPStatus.ACCEPTED)
    answer["Location"] = reverse("import-detail", args=[job.id])
    return answer


def _begun(job: Job, request: HttpRequest) -> Job:
    """Store the request's body as the import's file and begin; what is refused is not kept."""
    file = put_chunks(
        _chunks(request),
        content_type="application/octet-stream",
        organization=job.organization,
        at=now(),
    )
    try:
        return begin_import(job, file=file, at=now())
    except (NotAwaited, NotASet):
        drop_sent(file)
        raise


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(_CHUNK_BYTES):
        yield chunk


def _ready_sample(request: HttpRequest, sample_id: UUID) -> Sample:
    # What nobody has looked into is not shown: not yet read, or not readable.
    samples = Sample.objects.for_actor(actor_of(request)).filter(state=Sample.State.READY)
    return get_object_or_404(samples.select_related("picture", "thumbnail"), pk=sample_id)
