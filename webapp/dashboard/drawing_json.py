"""What the scene editor sends: JSON, of a size."""

from typing import Final

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from webapp.fleet.wishes import BadWish

MAX_BODY_BYTES: Final = 512 * 1024
"""Of a drawing; one with the most zones, of the most corners, stays below."""


def json_of(request: HttpRequest) -> object:
    """Return what the body holds; raise `BadWish` for one that is none, or too large."""
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise BadWish("", "The drawing is too large.") from error
    if len(body) > MAX_BODY_BYTES:
        raise BadWish("", "The drawing is too large.")
    try:
        given: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError) as error:
        raise BadWish("", "This is not JSON.") from error
    return given
