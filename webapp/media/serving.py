"""Answering with a stored file, for views that have checked who may see its owner."""

from typing import Final

import structlog
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers

from webapp.media.models import Blob

_SERVED: Final = {"image/jpeg": "inline", "application/json": "attachment"}
"""What is served and how; anything else is a file to save."""

log = structlog.get_logger(__name__)


def blob_response(request: HttpRequest, blob: Blob, *, name: str) -> HttpResponseBase:
    """Return the file, or 304 when the browser has it.

    A browser may keep it, for this login only: the bytes behind a name never change.
    """
    etag = f'"{blob.sha256}"'
    response = get_conditional_response(request, etag) or _file(blob, name)
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=86400, immutable"
    patch_vary_headers(response, ("Cookie",))
    return response


def _file(blob: Blob, name: str) -> HttpResponseBase:
    try:
        file = default_storage.open(blob.path, "rb")
    except FileNotFoundError as error:
        log.error("blob.lost", blob_id=str(blob.id), path=blob.path)  # noqa: TRY400 - no crash
        raise Http404 from error
    is_attachment = _SERVED.get(blob.content_type) != "inline"
    response: HttpResponse | FileResponse = FileResponse(
        file, as_attachment=is_attachment, filename=name, content_type=blob.content_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
