"""What agents send over HTTP: clips that they were asked for."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from processing.wire.limits import MAX_CLIP_BYTES
from webapp.common.clock import now
from webapp.common.problems import problem, problem_http
from webapp.events.actions import ClipIsHere, ClipUnknown, NotAnMp4, take_clip
from webapp.gateway.uploads import BadUpload, Upload, read_token

CHUNK_BYTES: Final = 256 * 1024


@csrf_exempt  # there is no cookie: the path is the right
@login_not_required
@require_http_methods(["PUT"])
def upload_clip(request: HttpRequest, token: str) -> HttpResponse:
    """Take an MP4 to a path that a `ClipDemand` named."""
    try:
        upload = read_token(token)
    except BadUpload:
        return _refused(HTTPStatus.FORBIDDEN, "This path is none, or not any more.")
    return _refusal_of_headers(request) or _taken(request, upload)


def _refusal_of_headers(request: HttpRequest) -> HttpResponse | None:
    said = request.headers.get("Content-Length", "")
    if not said.isdigit():
        return _refused(HTTPStatus.LENGTH_REQUIRED, "Say in Content-Length how large it is.")
    if int(said) > MAX_CLIP_BYTES:
        words = f"At most {MAX_CLIP_BYTES} bytes are taken."
        return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)
    if request.content_type != "video/mp4":
        return _refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A clip is video/mp4.")
    return None


def _taken(request: HttpRequest, upload: Upload) -> HttpResponse:
    try:
        take_clip(upload.agent_id, upload.clip_id, _chunks(request), at=now())
    except ClipUnknown:
        return _refused(HTTPStatus.FORBIDDEN, "There is no such clip of this agent.")
    except ClipIsHere:
        return _refused(HTTPStatus.CONFLICT, "This clip is here already.")
    except NotAnMp4:
        return _refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This is no MP4 file.")
    return HttpResponse(status=HTTPStatus.CREATED)


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(CHUNK_BYTES):
        yield chunk


def _refused(status: HTTPStatus, detail: str) -> HttpResponse:
    return problem_http(problem(status, detail=detail))
