"""Answering with a stored file, for views that have checked who may see its owner."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import structlog
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
)
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header

from webapp.common.streams import in_thread
from webapp.media.models import Blob
from webapp.media.ranges import Piece, Unsatisfiable, piece_asked

MAX_PIECE_BYTES: Final = 1024 * 1024
"""Of one answer to a player: it holds so much memory, however large the file."""
_SERVED: Final = {
    "image/jpeg": "inline",
    "video/mp4": "inline",
    "application/json": "attachment",
}
"""What is served and how; anything else is a file to save."""

log = structlog.get_logger(__name__)


class _Whole(FileResponse):
    """The file piece by piece, also under ASGI; closed with the answer, read or not."""

    block_size = 64 * 1024

    def __init__(self, file: File[bytes], blob: Blob) -> None:
        super().__init__(file, content_type=blob.content_type)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return in_thread(iter(self))


def blob_response(request: HttpRequest, blob: Blob, *, name: str) -> HttpResponseBase:
    """Return the file, the piece of it that was asked for, or 304 when the browser has it.

    A browser may keep it, for this login only: the bytes behind a name never change.
    """
    etag = f'"{blob.sha256}"'
    response = get_conditional_response(request, etag) or _file(request, blob, name)
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=86400, immutable"
    patch_vary_headers(response, ("Cookie",))
    return response


def _file(request: HttpRequest, blob: Blob, name: str) -> HttpResponseBase:
    try:
        file = default_storage.open(blob.path, "rb")
    except FileNotFoundError as error:
        log.error("blob.lost", blob_id=str(blob.id), path=blob.path)  # noqa: TRY400 - no crash
        raise Http404 from error
    try:
        piece = _piece(request, blob)
    except Unsatisfiable:
        file.close()
        answer = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        answer["Content-Range"] = f"bytes */{blob.size}"
        return answer
    response = _Whole(file, blob) if piece is None else _part(file, blob, piece)
    is_attachment = _SERVED.get(blob.content_type) != "inline"
    response["Content-Disposition"] = content_disposition_header(is_attachment, name) or "inline"
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _piece(request: HttpRequest, blob: Blob) -> Piece | None:
    """Return what is asked for; of another version of the file (`If-Range`), nothing but all."""
    asked = request.headers.get("Range", "")
    if request.headers.get("If-Range", f'"{blob.sha256}"') != f'"{blob.sha256}"':
        return None
    return piece_asked(asked, size=blob.size, most=MAX_PIECE_BYTES)


def _part(file: File[bytes], blob: Blob, piece: Piece) -> HttpResponse:
    with file:
        file.seek(piece.first)
        content = file.read(piece.size)
    response = HttpResponse(
        content, status=HTTPStatus.PARTIAL_CONTENT, content_type=blob.content_type
    )
    response["Content-Length"] = str(len(content))
    response["Content-Range"] = f"bytes {piece.first}-{piece.last}/{blob.size}"
    return response
